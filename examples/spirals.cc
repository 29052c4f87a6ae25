// Two spirals, wound around each other: a small network learns which one a point belongs to, and the terminal shows
// where it draws the line. No straight line does it (Lang & Witbrock 1988).
#include <heed/heed.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

constexpr int kPoints = 400, kSteps = 600;  // points a spiral, steps of training
constexpr int kColumns = 76, kRows = 38;    // of the drawing, in characters, which are twice as high as wide
constexpr double kReach = 1.1, kTurns = 1.75, kPi = 3.14159265358979323846;

struct Network {
  heed::Linear in{2, 64, heed::Activation::relu}, middle{64, 64, heed::Activation::relu}, out{64, 2};
  heed::Tensor operator()(const heed::Tensor& x) const { return out(middle(in(x))); }
  void visit(auto&& field) { field("in", in), field("middle", middle), field("out", out); }
};

struct Spirals {
  heed::Tensor points;  // (N, 2)
  heed::Tensor labels;  // (N), 0 or 1
};

Spirals make_spirals() {
  Spirals made{heed::randn({2 * kPoints, 2}) * 0.02, heed::zeros({2 * kPoints}, heed::Dtype::i64)};
  for (int64_t i = 0; i < 2 * kPoints; ++i) {
    const int64_t label = i % 2;
    const double along = std::sqrt((i / 2 + 0.5) / kPoints), angle = 2 * kPi * kTurns * along + kPi * label;
    made.points.at<float>({i, 0}) += static_cast<float>(along * std::cos(angle));
    made.points.at<float>({i, 1}) += static_cast<float>(along * std::sin(angle));
    made.labels.at<int64_t>({i}) = label;
  }
  return made;
}

double accuracy(const Network& network, const Spirals& data) {
  heed::NoGrad off;
  const heed::Tensor right = heed::equal(heed::argmax(network(data.points), 1), data.labels);
  return heed::mean(heed::to(right, heed::Dtype::f32)).item();
}

void train(Network& network, const Spirals& data) {
  heed::Adam optimizer(heed::weights(network), {.learning_rate = 0.005});
  for (int step = 1; step <= kSteps; ++step) {
    const heed::Tensor loss = heed::cross_entropy(network(data.points), data.labels);
    heed::backward(loss);
    optimizer.step();
    if (step % 100 == 0)
      std::printf("step %3d   loss %.4f   right %5.1f %%\n", step, loss.item(), 100 * accuracy(network, data));
  }
}

// How sure the network is of the second spiral, at the middle of each pixel of a grid.
heed::Tensor map_of(const Network& network, int rows, int columns) {
  heed::NoGrad off;
  heed::Tensor grid({int64_t{rows} * columns, 2});
  for (int64_t i = 0; i < grid.dim(0); ++i) {
    grid.at<float>({i, 0}) = static_cast<float>(((i % columns + 0.5) / columns * 2 - 1) * kReach);
    grid.at<float>({i, 1}) = static_cast<float>((1 - (i / columns + 0.5) / rows * 2) * kReach);
  }
  return heed::softmax(network(grid)).select(1, 1).packed().view({rows, columns});
}

// Which spiral has a point in a pixel: 0, 1, or -1 for none.
std::vector<int> marks_of(const Spirals& data, int rows, int columns) {
  std::vector<int> marks(static_cast<size_t>(rows) * columns, -1);
  for (int64_t i = 0; i < data.points.dim(0); ++i) {
    const int column = static_cast<int>((data.points.at<float>({i, 0}) / kReach + 1) / 2 * columns);
    const int row = static_cast<int>((1 - data.points.at<float>({i, 1}) / kReach) / 2 * rows);
    if (row >= 0 && row < rows && column >= 0 && column < columns)
      marks[static_cast<size_t>(row) * columns + column] = static_cast<int>(data.labels.at<int64_t>({i}));
  }
  return marks;
}

struct Colour {
  int red, green, blue;
};

// From deep blue over grey to deep orange; points are bright.
Colour colour_of(double second, int mark) {
  if (mark >= 0) return mark == 0 ? Colour{150, 200, 255} : Colour{255, 205, 120};
  const auto mix = [&](int from, int to) { return static_cast<int>(from + second * (to - from)); };
  return {mix(20, 150), mix(50, 70), mix(120, 10)};
}

// Two pixels a character: the upper one is the colour of a half block, the lower one that of its background.
void draw_coloured(const Network& network, const Spirals& data) {
  const int rows = kRows * 2;
  const heed::Tensor map = map_of(network, rows, kColumns);
  const std::vector<int> marks = marks_of(data, rows, kColumns);
  const auto pixel = [&](int row, int column) {
    return colour_of(map.at<float>({row, column}), marks[static_cast<size_t>(row) * kColumns + column]);
  };
  for (int row = 0; row < rows; row += 2) {
    for (int column = 0; column < kColumns; ++column) {
      const Colour up = pixel(row, column), down = pixel(row + 1, column);
      std::printf("\x1b[38;2;%d;%d;%dm\x1b[48;2;%d;%d;%dm▀", up.red, up.green, up.blue, down.red, down.green,
                  down.blue);
    }
    std::printf("\x1b[0m\n");
  }
}

void draw_plain(const Network& network, const Spirals& data) {
  const heed::Tensor map = map_of(network, kRows, kColumns);
  const std::vector<int> marks = marks_of(data, kRows, kColumns);
  for (int row = 0; row < kRows; ++row) {
    std::string line;
    for (int column = 0; column < kColumns; ++column) {
      const int mark = marks[static_cast<size_t>(row) * kColumns + column];
      line += mark >= 0 ? "ox"[mark] : map.at<float>({row, column}) < 0.5 ? ' ' : ':';
    }
    std::printf("%s\n", line.c_str());
  }
}

bool wants_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) && !(no_colour && *no_colour);
}

}  // namespace

int main() {
  heed::seed(1);
  const Spirals data = make_spirals();
  Network network;
  const auto begin = std::chrono::steady_clock::now();
  train(network, data);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;

  wants_colour() ? draw_coloured(network, data) : draw_plain(network, data);
  const double right = accuracy(network, data);
  std::printf("%d points, %ld weights, %d steps in %.1f seconds: %.1f %% right\n", 2 * kPoints,
              static_cast<long>(heed::count_weights(network)), kSteps, took.count(), 100 * right);
  return right > 0.95 ? 0 : 1;
}
