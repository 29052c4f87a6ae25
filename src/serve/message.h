// A request and its answer, as the routes see them: no sockets, no bytes of HTTP.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heed::serve {

// Of the letters that HTTP is written in.
inline std::string in_small_letters(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

struct Header {
  std::string name, value;  // the name in small letters
};

struct Request {
  std::string method, path, query, client;
  std::vector<Header> headers = {};
  std::string body = {};
  std::string named = {};  // what stands in the path where its route has {…}

  const std::string* header(std::string_view name) const {
    for (const Header& each : headers)
      if (each.name == name) return &each.value;
    return nullptr;
  }
};

struct Response {
  int status = 200;
  std::string type = "application/json", body = "";
  std::vector<Header> headers = {};
};

// The way back to a client. Any thread may use it: send once, or begin, write as often as there is something, and end.
// What throws std::bad_alloc has not been said; lose() needs no memory.
class Reply {
 public:
  virtual ~Reply() = default;
  virtual void send(Response response) = 0;
  virtual void begin(Response head) = 0;  // without a body
  virtual void write(std::string part) = 0;
  virtual void end() = 0;
  virtual void lose() noexcept = 0;  // there is no answer, or not all of it: closes the connection
  virtual bool gone() const = 0;     // nobody listens any more
};

// Answers now or later, from whatever thread.
using Handler = std::function<void(Request, std::shared_ptr<Reply>)>;

// The request may be refused by what its head says; its body is then never read. No status: go on.
using HeadCheck = std::function<Response(const Request&)>;

}  // namespace heed::serve
