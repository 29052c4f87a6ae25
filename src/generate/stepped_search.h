// search() a step at a time, so that others may be searched for between the steps: each sentence is done as soon as it
// can be.
//
//   SteppedSearch search(*model, source, {.beam = 4});
//   while (!search.done())
//     for (const int64_t n : search.step()) use(search.take(n));
#pragma once

#include <heed/generate.h>

#include <memory>
#include <vector>

namespace heed {

class SteppedSearch {
 public:
  SteppedSearch(const SequenceModel& model, const Sentences& source, SearchOptions options = {});
  ~SteppedSearch();
  SteppedSearch(SteppedSearch&&) noexcept;

  bool done() const;
  std::vector<int64_t> step();                     // a token further; the sentences that are done now
  std::vector<Hypothesis> take(int64_t sentence);  // of one that is done

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace heed
