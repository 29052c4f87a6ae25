// One walk back over the tape.
#pragma once

#include <heed/autograd.h>

#include <memory>
#include <unordered_map>

namespace heed::autograd {

// Contributions to a gradient that cost less together than one by one.
class Late {
 public:
  virtual ~Late() = default;
  virtual Tensor sum() = 0;
};

// Where the walk leaves gradients: in grad() of every leaf, or (gradients()) in a table of chosen places. A walk inside
// another one (checkpoint) keeps those of its chosen places and hands all that lies before `first` to the outer walk.
class Engine {
 public:
  Engine() = default;
  explicit Engine(const std::vector<Tensor>& chosen);
  Engine(const std::vector<Tensor>& chosen, Engine& outer, uint64_t first);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  static Engine* current();  // the walk that is under way on this thread, if any

  void walk(const Tensor& output, const Tensor& seed, bool keep);
  // A gradient for a tensor, or for a part of it: summed back, then added.
  void arrive(Place& place, const Tensor& gradient, const Gradients::Part& part = {});
  // Where late contributions for a tensor gather, until all have come.
  template <class Kind>
  Kind& late(const std::shared_ptr<Place>& place) {
    if (outer_ && belongs_to_outer(*place)) return outer_->late<Kind>(place);
    LatePlace& slot = late_[place.get()];
    if (!slot.work) {
      slot = {place, std::make_unique<Kind>()};
      if (place->node) wait_for(place->node);
    }
    return dynamic_cast<Kind&>(*slot.work);
  }
  Tensor chosen(const Tensor& input) const;

 private:
  struct LatePlace {
    std::shared_ptr<Place> place;
    std::unique_ptr<Late> work;
  };
  bool belongs_to_outer(const Place& place) const {
    return !chosen_.contains(&place) && (!place.node || place.node->sequence < first_);
  }
  void wait_for(const std::shared_ptr<Node>& node);
  void settle(const Node* node);  // what came late for the outputs of a node; null: for leaves
  void run(Node& node, bool keep);

  bool only_chosen_ = false;
  Engine* outer_ = nullptr;
  uint64_t first_ = 0;
  std::unordered_map<const Place*, Tensor> chosen_;
  std::unordered_map<const Place*, LatePlace> late_;
  std::vector<std::shared_ptr<Node>> ready_;  // a heap: the youngest first, so every user of a node runs before it
};

uint64_t next_sequence();  // nodes recorded from now on have this number or a higher one

// Recording is on in this scope, also below a NoGrad.
class Recording {
 public:
  Recording();
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

 private:
  bool before_;
};

void check_nan_gradient(const char* op, int input, const Tensor& gradient);

}  // namespace heed::autograd
