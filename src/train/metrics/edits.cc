#include "train/metrics/edits.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace heed::metrics {
namespace {

constexpr size_t kMostMoved = 10, kMostAway = 50, kMostTried = 1000;
constexpr int64_t kBeam = 25, kUnreached = int64_t{1} << 50;

enum class Edit : uint8_t { keep, replace, remove, insert };
struct Cell {
  int64_t cost = kUnreached;
  Edit edit = Edit::keep;
};

// Levenshtein's distance from a sequence to one that stays the same, near the diagonal. All sequences have the same
// length; what is known of the words that one shares with the one before is used again.
class Distance {
 public:
  Distance(size_t length, std::u32string_view to)
      : to_(to), before_(length, 0), cells_(length + 1, std::vector<Cell>(to.size() + 1)) {
    for (size_t j = 0; j <= to.size(); ++j) cells_[0][j] = {static_cast<int64_t>(j), Edit::insert};
    slope_ = length > 0 ? static_cast<double>(to.size()) / static_cast<double>(length) : 1;
    beam_ = slope_ / 2 > kBeam ? static_cast<int64_t>(std::ceil(slope_ / 2 + kBeam)) : kBeam;
  }

  int64_t operator()(std::u32string_view from) {
    const auto differs = std::mismatch(from.begin(), from.end(), before_.begin()).first;
    const size_t same = std::min(known_, static_cast<size_t>(differs - from.begin()));
    for (size_t i = same + 1; i <= from.size(); ++i) fill_row(i, from[i - 1]);
    before_ = from, known_ = from.size();
    return cells_.back().back().cost;
  }

  // The edits of the last sequence, from its beginning.
  std::vector<Edit> edits() const {
    std::vector<Edit> path;
    for (size_t i = before_.size(), j = to_.size(); i > 0 || j > 0;) {
      path.push_back(cells_[i][j].edit);
      if (path.back() != Edit::insert) --i;
      if (path.back() != Edit::remove) --j;
    }
    std::reverse(path.begin(), path.end());
    return path;
  }

 private:
  void fill_row(size_t i, char32_t word) {
    const auto diagonal = static_cast<int64_t>(std::floor(static_cast<double>(i) * slope_));
    const auto width = static_cast<int64_t>(to_.size()) + 1;
    const int64_t first = std::max<int64_t>(0, diagonal - beam_);
    const int64_t end = i + 1 == cells_.size() ? width : std::min(width, diagonal + beam_);
    for (int64_t j = first; j < end; ++j) cells_[i][static_cast<size_t>(j)] = cell(i, static_cast<size_t>(j), word);
  }

  // Of equal costs the first counts.
  Cell cell(size_t i, size_t j, char32_t word) const {
    if (j == 0) return {cells_[i - 1][0].cost + 1, Edit::remove};
    const bool same = word == to_[j - 1];
    Cell best{cells_[i - 1][j - 1].cost + (same ? 0 : 1), same ? Edit::keep : Edit::replace};
    if (const int64_t cost = cells_[i - 1][j].cost + 1; cost < best.cost) best = {cost, Edit::remove};
    if (const int64_t cost = cells_[i][j - 1].cost + 1; cost < best.cost) best = {cost, Edit::insert};
    return best;
  }

  std::u32string_view to_;
  std::u32string before_;
  size_t known_ = 0;
  std::vector<std::vector<Cell>> cells_;
  double slope_ = 1;
  int64_t beam_ = kBeam;
};

// What the edits say of both sequences: which words are wrong, and behind how many words of `from` each of `to` stands.
struct Alignment {
  explicit Alignment(const std::vector<Edit>& edits) {
    for (const Edit edit : edits) {
      if (edit != Edit::insert) from_wrong.push_back(edit != Edit::keep);
      if (edit == Edit::remove) continue;
      to_wrong.push_back(edit != Edit::keep);
      behind.push_back(from_wrong.size());
    }
  }
  std::vector<bool> from_wrong, to_wrong;
  std::vector<size_t> behind;
};

bool any(const std::vector<bool>& marks, size_t begin, size_t length) {
  const auto first = marks.begin() + static_cast<std::ptrdiff_t>(begin);
  return std::find(first, first + static_cast<std::ptrdiff_t>(length), true) !=
         first + static_cast<std::ptrdiff_t>(length);
}

// Words that both sequences have: `length` of them from `from` here and from `to` there.
struct Match {
  size_t from, to, length;
};

// Calls body(match) for each until it says that it is enough.
template <class Body>
void each_match(std::u32string_view from, std::u32string_view to, const Body& body) {
  for (size_t i = 0; i < from.size(); ++i)
    for (size_t j = i > kMostAway ? i - kMostAway : 0; j < std::min(to.size(), i + kMostAway + 1); ++j) {
      const size_t most = std::min({kMostMoved, from.size() - i, to.size() - j});
      for (size_t length = 1; length <= most && from[i + length - 1] == to[j + length - 1]; ++length)
        if (!body(Match{i, j, length})) return;
    }
}

std::u32string moved(std::u32string words, const Match& match, size_t target) {
  const auto at = [&](size_t i) { return words.begin() + static_cast<std::ptrdiff_t>(i); };
  if (target < match.from)
    std::rotate(at(target), at(match.from), at(match.from + match.length));
  else  // a target within what moves counts from its end
    std::rotate(at(match.from), at(match.from + match.length),
                at(target > match.from + match.length ? target : std::min(target + match.length, words.size())));
  return words;
}

// What is better is greater: saves more, is longer, stands earlier, goes to an earlier place.
using Rank = std::tuple<int64_t, size_t, int64_t, int64_t>;
struct Move {
  Rank rank;
  std::u32string words;
  int64_t saved() const { return std::get<0>(rank); }
};

class Search {
 public:
  Search(std::u32string_view from, std::u32string_view to) : words_(from), to_(to), distance_(from.size(), to) {}

  int64_t edits() {
    int64_t moves = 0;
    for (;; ++moves) {
      std::optional<Move> best = best_move();
      if (tried_ >= kMostTried || !best || best->saved() <= 0) break;
      words_ = std::move(best->words);
    }
    return moves + distance_(words_);
  }

 private:
  std::optional<Move> best_move() {
    const int64_t now = distance_(words_);
    const Alignment aligned(distance_.edits());
    std::optional<Move> best;
    each_match(words_, to_, [&](const Match& match) {
      if (!worth_moving(match, aligned)) return true;
      try_targets(match, aligned, now, best);
      return tried_ < kMostTried;
    });
    return best;
  }

  // Both places are wrong, and the target does not lie in what moves.
  static bool worth_moving(const Match& match, const Alignment& aligned) {
    const size_t behind = aligned.behind[match.to];
    const bool within = behind > match.from && behind <= match.from + match.length;
    return !within && any(aligned.from_wrong, match.from, match.length) &&
           any(aligned.to_wrong, match.to, match.length);
  }

  // Before the first word of the target's place and behind each of its words.
  void try_targets(const Match& match, const Alignment& aligned, int64_t now, std::optional<Move>& best) {
    std::optional<size_t> last;
    for (size_t k = 0; k <= match.length; ++k) {
      const size_t target = match.to + k == 0 ? 0 : aligned.behind[match.to + k - 1];
      if (target == last) continue;
      last = target, ++tried_;
      std::u32string words = moved(words_, match, target);
      const Rank rank{now - distance_(words), match.length, -static_cast<int64_t>(match.from),
                      -static_cast<int64_t>(target)};
      if (!best || rank > best->rank) best = Move{rank, std::move(words)};
    }
  }

  std::u32string words_;
  std::u32string_view to_;
  Distance distance_;
  size_t tried_ = 0;
};

}  // namespace

int64_t edits_with_shifts(std::u32string_view from, std::u32string_view to) {
  return to.empty() ? static_cast<int64_t>(from.size()) : Search(from, to).edits();
}

}  // namespace heed::metrics
