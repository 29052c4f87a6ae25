// The table of what may be asked: a line a path. From it follow who is let in, /openapi.json, and the documentation's
// table of paths.
#pragma once

#include <vector>

#include "serve/service.h"
#include "serve/transport.h"

namespace heed::serve {

enum class Access { open, key, always_key };  // key: where there are keys; always_key: also where there are none

using Handle = void (*)(Service& service, const Request& request, const std::shared_ptr<Reply>& reply);

struct Route {
  const char *method, *path, *what;
  Access access;
  const char* type;  // of the answer
  Json (*body)();    // schema of the request; none: it has none
  Json (*answer)();  // schema of the answer; none: it is no JSON
  Handle handle;
};
const std::vector<Route>& routes();

// By what the head says: who asks, what for, and in which form.
Response check_head(Service& service, const Request& request);
void answer(Service& service, Request request, std::shared_ptr<Reply> reply);
void note_refusal(Service& service, const Refused& refused);  // writes and counts what no route has seen

Json openapi(const std::vector<Route>& routes);

// ---- a room each ----------------------------------------------------------------------------------------------------

Route health_route();
Route models_route();
Route predict_route();
Route explain_route();
Route tokenize_route();
Route embeddings_route();
Route completions_route();
Route chat_route();
Route metrics_route();
Route openapi_route();
Route reload_route();
Route training_route();
Route page_route();

}  // namespace heed::serve
