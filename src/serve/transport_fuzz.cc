// Any bytes on a connection: answers that are HTTP, errors that are JSON, and the next client is served. There is no
// model to ask: what is tested is how requests are told apart, refused and answered.
#include <arpa/inet.h>
#include <heed/base.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "serve/refusal.h"
#include "serve/routes.h"
#include "serve/transport.h"
#include "support/fuzz.h"

using heed::testing::must;
using namespace heed::serve;  // NOLINT(google-build-using-namespace): a program of its own

namespace {

// A server of this process, begun once; nothing destroys it while its thread runs.
int port_of_server() {
  auto& service = *new Service({.keys = {"key"}, .loopback = true}, {"none"});
  auto& transport = *new Transport(
      "127.0.0.1", 0, {.header_bytes = 2048, .body_bytes = 4096},
      {.check = [&service](const Request& request) { return check_head(service, request); },
       .handle = [&service](Request request,
                            std::shared_ptr<Reply> reply) { answer(service, std::move(request), std::move(reply)); },
       .error = error_json});
  std::thread([&transport] { transport.run(); }).detach();
  return transport.port();
}

// All that comes back until the server closes.
std::string said(int port, std::string_view bytes) {
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to = {};
  to.sin_family = AF_INET, to.sin_port = htons(static_cast<uint16_t>(port)),
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{10, 0};
  ::setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  must(::connect(client, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0, "a connection");
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t more = ::send(client, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (more <= 0) break;  // it has refused, and closed
    sent += static_cast<size_t>(more);
  }
  ::shutdown(client, SHUT_WR);
  std::string all;
  char part[4096];
  ssize_t more;
  while ((more = ::recv(client, part, sizeof part, 0)) > 0) all.append(part, static_cast<size_t>(more));
  must(more == 0 || errno == ECONNRESET, "the server closes what a client has closed");
  ::close(client);
  return all;
}

// The fuzzer's clock rings for other threads: it would break off a connect() or recv().
int block_clock() {
  sigset_t clock;
  sigemptyset(&clock), sigaddset(&clock, SIGALRM);
  return pthread_sigmask(SIG_BLOCK, &clock, nullptr);
}

// Answers one behind the other: a line with a status, fields, and a body as long as it says.
void check_answers(std::string_view all) {
  while (!all.empty()) {
    must(all.substr(0, 9) == "HTTP/1.1 " && all.size() > 12, "an answer begins with its status");
    const size_t end = all.find("\r\n\r\n");
    if (end == std::string_view::npos) return;  // broken off by a client that has gone
    const std::string_view head = all.substr(0, end + 2);
    const int status = std::atoi(std::string(all.substr(9, 3)).c_str());
    all.remove_prefix(end + 4);
    if (status < 200) continue;
    const size_t length = head.find("Content-Length: ");
    must(length != std::string_view::npos, "an answer says how long it is");
    const auto size = static_cast<size_t>(std::atoll(std::string(head.substr(length + 16)).c_str()));
    if (all.substr(0, 5) == "HTTP/") continue;  // of HEAD
    if (all.size() < size) return;              // of HEAD, or broken off by a client that has gone
    must(status < 400 || Json::accept(all.substr(0, size)), "an error is JSON in UTF-8");
    all.remove_prefix(size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool quiet = (stderr = std::fopen("/dev/null", "w")) != nullptr;
  must(quiet, "the log goes nowhere");
  static const bool undisturbed = block_clock() == 0;
  must(undisturbed, "the clock rings elsewhere");
  static const int port = port_of_server();
  check_answers(said(port, {reinterpret_cast<const char*>(data), size}));
  static uint64_t inputs = 0;
  if (++inputs % 64 == 0) {
    const std::string next = said(port, "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    must(next.empty() || next.find(" 503 ") == 8, "the next request is served");
  }
  return 0;
}
