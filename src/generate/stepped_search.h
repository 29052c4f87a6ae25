// search() a step at a time: each sentence is done as soon as it can be, and others may join at any time, asked for in
// any way. What goes on beside a sentence changes nothing of it.
//
//   SteppedSearch search(*model);
//   search.add(source, {.beam = 4});
//   while (!search.done()) {
//     for (const int64_t n : search.step()) use(search.take(n));
//     if (more.count() > 0) search.add(more, {.strategy = Strategy::greedy});
//   }
#pragma once

#include <heed/generate.h>

#include <memory>
#include <vector>

namespace heed {

class SteppedSearch {
 public:
  explicit SteppedSearch(const SequenceModel& model);
  ~SteppedSearch();
  SteppedSearch(SteppedSearch&&) noexcept;

  // Gives the number of the first of them, by which steps and on_token tell of it; the others follow. An Error changes
  // nothing of what is under way.
  int64_t add(const Sentences& source, SearchOptions options = {});
  bool done() const;                               // all that were added
  int64_t rows() const;                            // hypotheses side by side
  std::vector<int64_t> step();                     // a token further; the sentences that are done now
  std::vector<Hypothesis> take(int64_t sentence);  // of one that is done

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace heed
