// heed serve: transport, routes, worker and models put together.
#pragma once

#include <string>
#include <vector>

#include "serve/transport.h"

namespace heed::serve {

struct ServeOptions {
  std::string host = "127.0.0.1", api_key_file, cors_origin;
  int64_t port = 8080, waiting = 256, together = 64, tokens = 1024, seen_tokens = 512, text_bytes = 64 << 10;
  double seconds = 120;
  Limits limits;

  void visit(auto&& field) {
    field("host", host, "address to listen on; 0.0.0.0: all of this machine's");
    field("port", port, "0: a free one");
    field("api_key_file", api_key_file, "keys, a line each: only who sends one of them is answered");
    field("cors_origin", cors_origin, "pages from there may ask too, as https://example.org");
    field("waiting", waiting, "texts that wait; who comes then is sent away with 503");
    field("together", together, "texts that are answered together");
    field("tokens", tokens, "that an answer may have");
    field("seen_tokens", seen_tokens, "of a text that is explained: what is seen grows with their square");
    field("text_bytes", text_bytes, "that a text may have");
    field("seconds", seconds, "that an answer may take");
    field("header_bytes", limits.header_bytes, "of a request's head");
    field("body_bytes", limits.body_bytes, "of a request's body");
    field("idle_seconds", limits.idle_seconds, "from one request to the head of the next");
    field("body_seconds", limits.body_seconds, "for all of a body to come");
    field("write_seconds", limits.write_seconds, "that a client may take nothing of its answer");
    field("drain_seconds", limits.drain_seconds, "for what is under way when SIGTERM comes");
    field("connections", limits.connections, "of one client at a time");
  }
};

// Until SIGTERM or SIGINT. Error where it cannot listen, or a run cannot be loaded.
void serve(const std::vector<std::string>& runs, const ServeOptions& options);

}  // namespace heed::serve
