#include "serve/transport.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <thread>

#include "base/check.h"

namespace heed::serve {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using net::ip::tcp;
using Code = beast::error_code;

constexpr size_t kLingerBytes = 1 << 20;
constexpr double kLingerSeconds = 2;
constexpr auto kMemoryPause = std::chrono::milliseconds(10);

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
}

std::string date() {
  char text[64];
  const std::time_t now = std::time(nullptr);
  std::tm utc;
  gmtime_r(&now, &utc);
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

struct Shared;

// The memory of a handler that must run when there is none left: it was there before.
template <class T>
struct Reserved {
  using value_type = T;
  explicit Reserved(std::span<std::byte> memory) : memory(memory) {}
  template <class Other>
  Reserved(const Reserved<Other>& other) : memory(other.memory) {}  // NOLINT(google-explicit-constructor): an allocator
  T* allocate(size_t count) {
    if (count * sizeof(T) > memory.size()) throw std::bad_alloc();
    return reinterpret_cast<T*>(memory.data());
  }
  void deallocate(T*, size_t) {}
  template <class Other>
  bool operator==(const Reserved<Other>& other) const {
    return memory.data() == other.memory.data();
  }
  std::span<std::byte> memory;
};

// A client: one request at a time, those behind it wait in the socket. Open until close(), on the thread of the sockets
// alone; whoever holds it as a way back may let go of it in any thread.
class Connection final : public Reply, public std::enable_shared_from_this<Connection> {
 public:
  Connection(Shared& shared, tcp::socket socket, std::string client);

  void read();
  void drain();  // closes what is idle; what is busy closes after its answer
  void refuse(int status, const std::string& message);
  void close();
  const std::string& client() const { return client_; }
  template <class Action>
  auto handler(Action action);

  void send(Response response) override;
  void begin(Response head) override;
  void write(std::string part) override;
  void end() override;
  void lose() noexcept override;
  bool gone() const override { return gone_; }

 private:
  using Parser = http::request_parser<http::string_body>;

  void on_head(Code code);
  bool framing_is_clear() const;
  void go_on();
  void read_body();
  void on_body(Code code);
  void on_bad(Code code, bool at_head);
  void handle();
  Request request() const;
  void watch();
  std::string head_of(const Response& response, const std::string& framing) const;
  template <class Action>
  void on_io_thread(Action action);
  void put(std::string bytes);
  void flush();
  void on_written(Code code);
  void done();
  bool more_has_come() const;
  void linger();
  void allow(double seconds);  // then what is under way is broken off
  void allow_all();

  Shared& shared_;
  tcp::socket socket_;
  net::steady_timer clock_;
  uint64_t turn_ = 0;  // of the clock
  bool late_ = false;
  const std::string client_;
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::deque<std::string> out_;
  std::optional<net::executor_work_guard<net::io_context::executor_type>> busy_;  // from a request to its answer's end
  std::atomic<bool> gone_ = false;
  bool watching_ = false, writing_ = false, answered_ = false, keep_ = true, chunked_ = false, linger_ = false;
  bool only_head_ = false;
  size_t lingered_ = 0;
  std::string discarded_;
  std::atomic<bool> lost_ = false;
  alignas(std::max_align_t) std::array<std::byte, 256> reserve_;  // for lose()
};

struct Shared {
  Limits limits = {};
  Watchers watchers = {};
  std::set<std::shared_ptr<Connection>> connections = {};
  std::map<std::string, int64_t> of_client = {};
  bool draining = false;
  net::io_context io{1};  // the first to go: what waits in it holds connections

  void note(const Refused& refused) const {
    if (watchers.refused) watchers.refused(refused);
  }
  void note_no_memory() const noexcept {
    try {
      note({"", "there is no memory for a connection", 503});
    } catch (const std::bad_alloc&) {
      return;  // nor for its note
    }
  }
  void enter(const std::shared_ptr<Connection>& connection, int64_t& of_its_client) {
    connections.insert(connection);
    ++of_its_client;
    count();
  }
  void leave(const std::shared_ptr<Connection>& connection) {
    if (connections.erase(connection) == 0) return;
    const auto of_its_client = of_client.find(connection->client());
    if (--of_its_client->second == 0) of_client.erase(of_its_client);
    count();
  }
  void count() const {
    if (watchers.connections) watchers.connections(static_cast<int>(connections.size()));
  }
};

Connection::Connection(Shared& shared, tcp::socket socket, std::string client)
    : shared_(shared), socket_(std::move(socket)), clock_(shared.io), client_(std::move(client)) {}

// What an operation calls when it is done. Where there is no memory for what follows, the connection closes.
template <class Action>
auto Connection::handler(Action action) {
  return [self = shared_from_this(), action = std::move(action)](auto... results) mutable {
    try {
      action(*self, results...);
    } catch (const std::bad_alloc&) {
      self->shared_.note_no_memory();
      self->close();
    }
  };
}

// ---- reading --------------------------------------------------------------------------------------------------------

void Connection::read() {
  if (shared_.draining) return close();
  parser_.emplace();
  parser_->header_limit(static_cast<uint32_t>(shared_.limits.header_bytes));
  parser_->body_limit(static_cast<uint64_t>(shared_.limits.body_bytes));
  answered_ = chunked_ = linger_ = only_head_ = false, keep_ = true;
  allow(shared_.limits.idle_seconds);
  http::async_read_header(socket_, buffer_, *parser_,
                          handler([](Connection& self, Code code, size_t) { self.on_head(code); }));
}

// One way alone to tell where a request ends: else the next one could hide in it.
bool Connection::framing_is_clear() const {
  const auto& head = parser_->get();
  if (head.count(http::field::content_length) > 1 || head.count(http::field::transfer_encoding) > 1) return false;
  const auto encoding = head.find(http::field::transfer_encoding);
  if (encoding == head.end()) return true;
  return beast::iequals(encoding->value(), "chunked") && head.version() == 11 &&
         head.count(http::field::content_length) == 0;
}

void Connection::on_head(Code code) {
  if (code) return on_bad(code, true);
  keep_ = parser_->keep_alive();
  only_head_ = parser_->get().method() == http::verb::head;
  if (!framing_is_clear()) return refuse(400, "the head does not say clearly where the body ends");
  Response refused = shared_.watchers.check(request());
  if (refused.status != 200) {
    linger_ = !parser_->is_done();
    keep_ = keep_ && parser_->is_done();
    return send(std::move(refused));
  }
  go_on();
}

void Connection::go_on() {
  allow(shared_.limits.body_seconds);
  const auto expected = parser_->get().find(http::field::expect);
  if (expected != parser_->get().end() && !parser_->is_done()) {
    if (!beast::iequals(expected->value(), "100-continue")) return refuse(417, "expects what is not done here");
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    return net::async_write(socket_, net::buffer(kContinue), handler([](Connection& self, Code code, size_t) {
                              code ? self.close() : self.read_body();
                            }));
  }
  read_body();
}

void Connection::read_body() {
  http::async_read(socket_, buffer_, *parser_,
                   handler([](Connection& self, Code code, size_t) { self.on_body(code); }));
}
void Connection::on_body(Code code) { code ? on_bad(code, false) : handle(); }

void Connection::on_bad(Code code, bool at_head) {
  if (late_) {
    const bool silent = at_head && !parser_->got_some() && buffer_.size() == 0;
    return silent ? close() : refuse(408, "the request did not come in time");
  }
  if (code == http::error::header_limit)
    return refuse(431, fmt::format("the head is longer than {} bytes", shared_.limits.header_bytes));
  if (code == http::error::body_limit)
    return refuse(413, fmt::format("the body is longer than {} bytes", shared_.limits.body_bytes));
  if (code.category() != http::make_error_code(http::error::bad_version).category()) return close();
  if (code == http::error::end_of_stream || code == http::error::partial_message) return close();
  if (code == http::error::bad_version) return refuse(505, "speaks neither HTTP/1.0 nor 1.1");
  refuse(400, "is no request of HTTP: " + code.message());
}

Request Connection::request() const {
  const auto& head = parser_->get();
  const std::string target(head.target());
  const size_t question = target.find('?');
  Request request{std::string(head.method_string()), target.substr(0, question),
                  question == std::string::npos ? "" : target.substr(question + 1), client_};
  for (const auto& field : head)
    request.headers.push_back({in_small_letters(std::string(field.name_string())), std::string(field.value())});
  if (head.version() == 10 && head.count(http::field::host) == 0) request.headers.push_back({"host", ""});
  return request;
}

void Connection::handle() {
  allow_all();
  busy_.emplace(shared_.io.get_executor());
  watch();
  Request whole = request();
  whole.body = std::move(parser_->get().body());
  shared_.watchers.handle(std::move(whole), shared_from_this());
}

// A client that closes its side while it waits has gone; one that sends more has put its next request behind.
void Connection::watch() {
  if (watching_) return;
  watching_ = true;
  socket_.async_wait(tcp::socket::wait_read, handler([](Connection& self, Code code) {
                       self.watching_ = false;
                       if (code || !self.busy_) return;
                       char byte;
                       if (::recv(self.socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
                         self.gone_ = true;
                     }));
}

// ---- writing --------------------------------------------------------------------------------------------------------

template <class Action>
void Connection::on_io_thread(Action action) {
  net::post(shared_.io, handler(std::move(action)));
}

// Of several parts one may be missing: what stands behind it is not said either.
void Connection::lose() noexcept {
  if (lost_.exchange(true)) return;
  const auto lost = [self = shared_from_this()] { self->close(); };
  shared_.io.get_executor().post(lost, Reserved<std::byte>(reserve_));
}

std::string Connection::head_of(const Response& response, const std::string& framing) const {
  const auto reason = http::obsolete_reason(static_cast<http::status>(response.status));
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\nConnection: {}\r\n{}", response.status,
                  std::string_view(reason.data(), reason.size()), date(), keep_ ? "keep-alive" : "close", framing);
  if (!response.type.empty()) head += fmt::format("Content-Type: {}\r\n", response.type);
  for (const Header& header : response.headers) head += fmt::format("{}: {}\r\n", header.name, header.value);
  return head + "X-Content-Type-Options: nosniff\r\n\r\n";
}

void Connection::send(Response response) {
  on_io_thread([response = std::move(response)](Connection& self) {
    if (self.shared_.draining) self.keep_ = false;
    const bool bare = response.status == 204;
    const std::string framing = bare ? "" : fmt::format("Content-Length: {}\r\n", response.body.size());
    self.answered_ = true;
    self.put(self.head_of(response, framing) + (self.only_head_ ? "" : response.body));
  });
}
void Connection::begin(Response head) {
  on_io_thread([head = std::move(head)](Connection& self) {
    self.chunked_ = self.parser_->get().version() == 11;
    if (self.shared_.draining || !self.chunked_) self.keep_ = false;
    self.put(self.head_of(head, self.chunked_ ? "Transfer-Encoding: chunked\r\n" : ""));
  });
}
void Connection::write(std::string part) {
  if (part.empty()) return;
  on_io_thread([part = std::move(part)](Connection& self) {
    self.put(self.chunked_ ? fmt::format("{:x}\r\n{}\r\n", part.size(), part) : part);
  });
}
void Connection::end() {
  on_io_thread([](Connection& self) {
    self.answered_ = true;
    self.put(self.chunked_ ? "0\r\n\r\n" : "");
  });
}

void Connection::put(std::string bytes) {
  out_.push_back(std::move(bytes));
  if (!writing_) flush();
}
void Connection::flush() {
  if (gone_ && !answered_) out_.clear();
  if (out_.empty()) return answered_ ? done() : void();
  writing_ = true;
  allow(shared_.limits.write_seconds);
  net::async_write(socket_, net::buffer(out_.front()),
                   handler([](Connection& self, Code code, size_t) { self.on_written(code); }));
}
void Connection::on_written(Code code) {
  writing_ = false;
  if (code) gone_ = true;
  if (code && busy_ && !answered_) return out_.clear();
  if (code) return close();
  out_.pop_front();
  if (out_.empty()) allow_all();
  flush();
}

void Connection::done() {
  busy_.reset();
  if (keep_ && !gone_) return read();
  linger_ || more_has_come() ? linger() : close();
}
bool Connection::more_has_come() const {
  Code ignored;
  return buffer_.size() > 0 || socket_.available(ignored) > 0;
}

void Connection::refuse(int status, const std::string& message) {
  shared_.note({client_, message, status});
  keep_ = false, linger_ = true;
  send({status, "application/json", shared_.watchers.error(status, message)});
}

// To close with bytes unread would take the answer from the client: they are read and thrown away, not for long.
void Connection::linger() {
  if (discarded_.empty()) {
    Code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    allow(kLingerSeconds);
    discarded_.resize(16 << 10);
  }
  socket_.async_read_some(net::buffer(discarded_), handler([](Connection& self, Code code, size_t count) {
                            self.lingered_ += count;
                            if (code || self.lingered_ > kLingerBytes) return self.close();
                            self.linger();
                          }));
}

void Connection::allow(double seconds) {
  late_ = false;
  clock_.expires_after(milliseconds(seconds));
  clock_.async_wait([weak = weak_from_this(), turn = ++turn_](Code code) {
    const auto self = weak.lock();
    if (code || !self || self->turn_ != turn) return;
    self->late_ = true;
    Code ignored;
    self->socket_.cancel(ignored);
  });
}
void Connection::allow_all() {
  ++turn_;
  clock_.cancel();
}

void Connection::drain() {
  if (!busy_ && !writing_) close();
}
void Connection::close() {
  if (!socket_.is_open()) return;
  busy_.reset();
  gone_ = true;
  allow_all();
  Code ignored;
  socket_.shutdown(tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
  shared_.leave(shared_from_this());
}

tcp::endpoint endpoint_of(const std::string& host, int port) {
  Code code;
  const auto address = net::ip::make_address(host == "localhost" ? "127.0.0.1" : host, code);
  check(!code, "host", "'{}' is no address; wanted one as 127.0.0.1, 0.0.0.0 or ::1", host);
  return {address, static_cast<uint16_t>(port)};
}

int open_spare() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

void raise_file_limit() {
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

// ---- listening ------------------------------------------------------------------------------------------------------

struct Transport::Impl {
  Shared shared;
  tcp::acceptor acceptor{shared.io};
  net::signal_set signals{shared.io, SIGTERM, SIGINT};
  net::steady_timer timer{shared.io};
  int spare = open_spare();  // a descriptor to give up, where there are no more

  ~Impl() {
    while (!shared.connections.empty()) (*shared.connections.begin())->close();
    if (spare >= 0) ::close(spare);
  }

  void listen(const tcp::endpoint& at) {
    Code code;
    acceptor.open(at.protocol());
    acceptor.set_option(net::socket_base::reuse_address(true));
    acceptor.bind(at, code);
    if (!code) acceptor.listen(4096, code);
    if (code)
      throw Error(ErrorKind::system, fmt::format("{}:{}", at.address().to_string(), at.port()),
                  "cannot be listened on: " + code.message(), "take another --port; 0 takes a free one");
  }

  // Without the memory to wait for the next client nobody could come any more: it is asked for until it is there.
  void accept() {
    for (;;) try {
        return acceptor.async_accept([this](Code code, tcp::socket socket) {
          if (code == net::error::operation_aborted) return;
          code ? no_more_files(code) : take(std::move(socket));
          accept();
        });
      } catch (const std::bad_alloc&) {
        std::this_thread::sleep_for(kMemoryPause);
      }
  }

  void take(tcp::socket socket) try {
    Code code;
    const auto remote = socket.remote_endpoint(code);
    if (code) return;
    socket.set_option(tcp::no_delay(true), code);
    const std::string client = remote.address().to_string();
    int64_t& of_its_client = shared.of_client[client];
    const bool too_many = of_its_client >= shared.limits.connections;
    const auto connection = std::make_shared<Connection>(shared, std::move(socket), client);
    shared.enter(connection, of_its_client);
    connection->handler([too_many](Connection& self) {
      too_many ? self.refuse(429, "too many connections from here") : self.read();
    })();
  } catch (const std::bad_alloc&) {
    shared.note_no_memory();
  }

  // Without a descriptor the client would wait in vain: the spare one takes it, and closes.
  void no_more_files(Code code) {
    if (code != net::error::no_descriptors && code != boost::system::errc::too_many_files_open_in_system) return;
    if (spare >= 0) ::close(spare);
    spare = -1;
    const int taken = ::accept(acceptor.native_handle(), nullptr, nullptr);
    static constexpr std::string_view kBusy =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    if (taken >= 0) {
      shared.note({"-", "there is no file descriptor left", 503});
      [[maybe_unused]] const auto sent = ::send(taken, kBusy.data(), kBusy.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      ::shutdown(taken, SHUT_WR);
      ::close(taken);
    }
    spare = open_spare();
  }

  void drain() {
    if (shared.draining) return shared.io.stop();
    shared.draining = true;
    Code ignored;
    acceptor.close(ignored);
    if (shared.watchers.draining) shared.watchers.draining();
    const auto all = shared.connections;
    for (const auto& each : all) each->drain();
    timer.expires_after(milliseconds(shared.limits.drain_seconds));
    timer.async_wait([this](Code code) {
      if (!code) shared.io.stop();
    });
    wait_for_the_last();
  }
  void wait_for_the_last() {
    if (shared.connections.empty()) return shared.io.stop();
    const auto again = std::make_shared<net::steady_timer>(shared.io, milliseconds(0.01));
    again->async_wait([this, again](Code) { wait_for_the_last(); });
  }
  void await_signal() {
    signals.async_wait([this](Code code, int) {
      if (code) return;
      drain();
      await_signal();
    });
  }
};

Transport::Transport(const std::string& host, int port, const Limits& limits, Watchers watchers)
    : impl_(std::make_unique<Impl>()) {
  raise_file_limit();
  impl_->shared.limits = limits, impl_->shared.watchers = std::move(watchers);
  impl_->listen(endpoint_of(host, port));
}
Transport::~Transport() = default;

int Transport::port() const { return impl_->acceptor.local_endpoint().port(); }
bool Transport::on_loopback() const { return impl_->acceptor.local_endpoint().address().is_loopback(); }
void Transport::run() {
  impl_->accept();
  impl_->await_signal();
  for (bool ended = false; !ended;) {
    try {
      impl_->shared.io.run();
      ended = true;
    } catch (const std::bad_alloc&) {  // of a timer or a signal
      impl_->shared.note_no_memory();
    }
  }
}
void Transport::stop() {
  net::post(impl_->shared.io, [this] { impl_->drain(); });
}

}  // namespace heed::serve
