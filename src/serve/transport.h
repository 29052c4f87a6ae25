// HTTP/1.1 on a socket: connections, their limits and their time. One thread does it all and waits for nobody.
#pragma once

#include <memory>
#include <string>

#include "serve/message.h"

namespace heed::serve {

struct Limits {
  int64_t header_bytes = 16 << 10, body_bytes = 1 << 20;
  double idle_seconds = 30;    // from one request to the head of the next
  double body_seconds = 30;    // for all of a body
  double write_seconds = 30;   // that a client may take nothing of what it is sent
  double drain_seconds = 30;   // for what is under way when the end is asked for
  int64_t connections = 1024;  // of one client
};

// What an error looks like, for what the transport refuses by itself.
using ErrorBody = std::function<std::string(int status, const std::string& message)>;

// What the transport refused by itself; the reason is a sentence of its own, without anything that the client sent.
struct Refused {
  std::string client, reason;
  int status = 0;
};

struct Watchers {
  HeadCheck check;
  Handler handle;
  ErrorBody error;
  std::function<void(int)> connections = {};  // how many there are
  std::function<void(const Refused&)> refused = {};
  std::function<void()> draining = {};  // the end was asked for
};

class Transport {
 public:
  // Listens; port 0: a free one. Error(system) where it cannot.
  Transport(const std::string& host, int port, const Limits& limits, Watchers watchers);
  ~Transport();

  int port() const;
  bool on_loopback() const;
  void run();   // until SIGTERM or SIGINT, and until what was under way is answered
  void stop();  // from any thread: the same as SIGTERM

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace heed::serve
