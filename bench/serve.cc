#include "bench/serve.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fstream>
#include <random>
#include <thread>

#include "base/check.h"
#include "base/clock.h"
#include "tasks/trained_run.h"

namespace heed::bench {
namespace {

constexpr int kClients = 16;

// The program itself, serving.
class Server {
 public:
  explicit Server(const std::string& run) {
    int ends[2];
    check_system(::pipe(ends) == 0, "bench serve", "no pipe");
    const double begun = seconds();
    process_ = ::fork();
    if (process_ == 0) {
      ::dup2(ends[1], STDERR_FILENO);
      ::close(ends[0]);
      ::execl("/proc/self/exe", "heed", "serve", run.c_str(), "--port", "0", nullptr);
      ::_exit(1);
    }
    ::close(ends[1]);
    log_ = ::fdopen(ends[0], "r");
    char line[512] = "";
    check_system(std::fgets(line, sizeof line, log_) != nullptr, "bench serve", "the server said nothing");
    const std::string said = line;
    const size_t at = said.find("127.0.0.1:");
    check(at != std::string::npos, "bench serve", "the server said: {}", said);
    port_ = std::stoi(said.substr(at + 10));
    drain_ = std::thread([this] {
      for (char more[512]; std::fgets(more, sizeof more, log_);) continue;
    });
    await_ready();
    ready_ = seconds() - begun;
  }
  ~Server() {
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
    drain_.join();
    std::fclose(log_);
  }
  int port() const { return port_; }
  double ready() const { return ready_; }
  double megabytes() const {  // resident
    double all = 0, resident = 0;
    std::ifstream(fmt::format("/proc/{}/statm", process_)) >> all >> resident;
    return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e6;
  }

 private:
  void await_ready();
  pid_t process_;
  int port_ = 0;
  double ready_ = 0;
  FILE* log_;
  std::thread drain_;
};

// A connection that is kept.
class Client {
 public:
  explicit Client(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to = {};
    to.sin_family = AF_INET, to.sin_port = htons(static_cast<uint16_t>(port)),
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int one = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    check_system(::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0, "bench serve",
                 "no connection");
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  int ask(const std::string& head, const std::string& body) {  // the status
    const std::string all = fmt::format(
        "{} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: {}\r\n\r\n{}",
        head, body.size(), body);
    check_system(::send(socket_, all.data(), all.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(all.size()),
                 "bench serve", "cannot ask");
    size_t end;
    while ((end = got_.find("\r\n\r\n")) == std::string::npos) read();
    const size_t length = got_.find("Content-Length: ");
    const size_t size = end + 4 + std::stoul(got_.substr(length + 16));
    while (got_.size() < size) read();
    const int status = std::stoi(got_.substr(9, 3));
    got_.erase(0, size);
    return status;
  }
  int predict(const std::string& text) { return ask("POST /v1/predict", nlohmann::json{{"input", text}}.dump()); }

 private:
  void read() {
    char part[16384];
    const ssize_t count = ::recv(socket_, part, sizeof part, 0);
    check_system(count > 0, "bench serve", "the connection broke");
    got_.append(part, static_cast<size_t>(count));
  }
  int socket_;
  std::string got_;
};

void Server::await_ready() {
  while (Client(port_).ask("GET /health", "") != 200) ::usleep(500);
}

double at_share(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values.at(std::min(values.size() - 1, static_cast<size_t>(share * static_cast<double>(values.size()))));
}

// What so many clients see in a while: times of what was answered, how much was sent away.
struct Load {
  std::vector<double> times = {};
  int64_t refused = 0;
  double seconds = 0;
  double rate() const { return static_cast<double>(times.size()) / seconds; }
};

// gap: seconds between the requests of a client, drawn around it; 0: each asks as soon as it is answered.
Load load(const Server& server, const std::vector<std::string>& lines, int clients, double lasts, double gap) {
  std::vector<Load> all(static_cast<size_t>(clients));
  std::vector<std::thread> threads;
  const double begun = seconds();
  for (int n = 0; n < clients; ++n)
    threads.emplace_back([&, n] {
      Client client(server.port());
      Load& own = all[static_cast<size_t>(n)];
      std::mt19937 draw(static_cast<unsigned>(n));
      std::exponential_distribution<double> wait(gap > 0 ? 1 / gap : 1);
      double due = begun;
      for (size_t k = static_cast<size_t>(n); seconds() - begun < lasts; k += static_cast<size_t>(clients)) {
        due = gap > 0 ? due + wait(draw) : seconds();
        if (const double early = due - seconds(); early > 0) ::usleep(static_cast<unsigned>(early * 1e6));
        const int status = client.predict(lines[k % lines.size()]);
        if (status == 200) own.times.push_back(seconds() - due);
        own.refused += status == 503;
      }
    });
  for (std::thread& thread : threads) thread.join();
  Load sum{.seconds = seconds() - begun};
  for (const Load& own : all) {
    sum.times.insert(sum.times.end(), own.times.begin(), own.times.end());
    sum.refused += own.refused;
  }
  return sum;
}

void line(const char* name, const std::string& value, double ratio) {
  fmt::print("{:<44} {:>22}  {:6.2f} of the limit\n", name, value, ratio);
}

std::vector<std::string> read_texts(const std::string& path) {
  std::ifstream in(path);
  check_system(in.good(), path, "cannot be read");
  std::vector<std::string> lines;
  for (std::string text; std::getline(in, text);) lines.push_back(text.substr(0, text.find('\t')));
  check(!lines.empty(), path, "holds no line");
  return lines;
}

struct Own {
  double rate, by_clients;  // texts a second: in one batch, and as many at a time as there are clients
  double alone;             // seconds of one
};
// So many at a time.
double rate_of(const TrainedRun& run, const std::vector<std::string>& lines, size_t count) {
  Fields options;
  const double begun = seconds();
  for (size_t n = 0; n < lines.size(); n += count)
    run.predict(std::span(&lines[n], std::min(count, lines.size() - n)), options, Showing::details);
  return static_cast<double>(lines.size()) / (seconds() - begun);
}
Own own_speed(const std::string& folder, const std::vector<std::string>& lines) {
  const auto run = load_run(folder);
  Fields options;
  double rate = 0, by_clients = 0;
  for (int n = 0; n < 3; ++n) {
    rate = std::max(rate, rate_of(*run, lines, lines.size()));
    by_clients = std::max(by_clients, rate_of(*run, lines, kClients));
  }
  std::vector<double> times;
  for (size_t n = 0; n < 200; ++n) {
    const double begun = seconds();
    run->predict(std::span(&lines[n % lines.size()], 1), options, Showing::details);
    times.push_back(seconds() - begun);
  }
  return {rate, by_clients, at_share(times, 0.5)};
}

// How the server is while others press it, asked every 20 ms.
struct Being {
  std::vector<double> health, megabytes;
};
Being while_it_lasts(const Server& server, const std::atomic<bool>& ends) {
  Being being;
  for (Client client(server.port()); !ends; ::usleep(20'000)) {
    const double begun = seconds();
    client.ask("GET /health", "");
    being.health.push_back(seconds() - begun);
    being.megabytes.push_back(server.megabytes());
  }
  return being;
}

double most_of_third(const std::vector<double>& values, size_t third) {
  const auto at = [&](size_t n) { return values.begin() + static_cast<std::ptrdiff_t>(values.size() * n / 3); };
  check(values.size() >= 3, "bench serve", "took too short a time");
  return *std::max_element(at(third), at(third + 1));
}

// Ten times what it can answer.
void overload(const Server& server, const std::vector<std::string>& lines, double lasts, double capacity) {
  constexpr int kMany = 20 * kClients;
  std::atomic<bool> ends = false;
  Being being;
  std::thread watch([&] { being = while_it_lasts(server, ends); });
  const Load over = load(server, lines, kMany, lasts, kMany / (10 * capacity));
  ends = true;
  watch.join();
  line("answered at ten times its capacity", fmt::format("{:.0f} of {:.0f}", over.rate(), capacity),
       over.rate() / capacity / 0.9);
  const double late = at_share(being.health, 0.99);
  line("/health meanwhile, p99", fmt::format("{:.1f} ms", late * 1e3), 0.1 / late);
  const double before = most_of_third(being.megabytes, 1), after = most_of_third(being.megabytes, 2);
  line("memory meanwhile, second third and last", fmt::format("{:.1f}, {:.1f} MB", before, after), before / after);
}

}  // namespace

void run_serve(const ServeBench& bench) {
  const std::vector<std::string> lines = read_texts(bench.lines);
  const Own own = own_speed(bench.run, lines);
  const Server server(bench.run);
  line("start to ready", fmt::format("{:.0f} ms", server.ready() * 1e3), 0.1 / server.ready());
  const Load one = load(server, lines, 1, bench.seconds, 0);
  const double more = at_share(one.times, 0.5) - own.alone;
  line("one client, p50 over the program's own", fmt::format("{:+.2f} ms", more * 1e3), 0.001 / std::max(more, 1e-6));
  const Load closed = load(server, lines, kClients, bench.seconds, 0);
  line("texts a second, 16 clients, beside one batch", fmt::format("{:.0f} of {:.0f}", closed.rate(), own.rate),
       closed.rate() / own.rate / 0.85);
  line("the same, beside 16 at a time in the program", fmt::format("{:.0f} of {:.0f}", closed.rate(), own.by_clients),
       closed.rate() / own.by_clients);
  const Load most = load(server, lines, 4 * kClients, bench.seconds, 4 * kClients / (0.8 * closed.rate()));
  const double spread = at_share(most.times, 0.99) / at_share(most.times, 0.5);
  line("p99 over p50 at 80 % load", fmt::format("{:.2f}", spread), 4 / spread);
  overload(server, lines, bench.seconds, closed.rate());
}

}  // namespace heed::bench
