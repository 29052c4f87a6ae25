// Where several threads compute beside each other, each with helpers of its own: how many of all the threads are this
// one's.
#pragma once

namespace heed {

// threads() of this thread is at most so many, until it ends.
class ThreadShare {
 public:
  explicit ThreadShare(int count);
  ~ThreadShare();
  ThreadShare(const ThreadShare&) = delete;
  ThreadShare& operator=(const ThreadShare&) = delete;

 private:
  const int before_;
};

}  // namespace heed
