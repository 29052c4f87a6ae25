// a & b: a key may be looked at where both spans allow it.
#include "attention/slots.h"

namespace heed::attention {
namespace {

class Both final : public SpanRoom {
 public:
  Both(Span a, Span b) : a_(std::move(a)), b_(std::move(b)) {}
  std::string name() const override { return a_.room->name() + " & " + b_.room->name(); }
  bool computes_with_tensors() const override {
    return a_.room->computes_with_tensors() || b_.room->computes_with_tensors();
  }
  bool counts_from_first() const override { return a_.room->counts_from_first() || b_.room->counts_from_first(); }
  void prepare(Pipeline& p) const override {
    a_.room->prepare(p);
    b_.room->prepare(p);
  }
  Tensor lengths() const override { return shorter(a_.room->lengths(), b_.room->lengths()); }
  bool reference(const Plain& x, int64_t i, int64_t j) const override {
    return a_.room->reference(x, i, j) && b_.room->reference(x, i, j);
  }
  double bias(const Plain& x, int64_t i, int64_t j) const override {
    return a_.room->bias(x, i, j) + b_.room->bias(x, i, j);
  }
  double multiplier(const Plain& x, int64_t i, int64_t j) const override {
    return a_.room->multiplier(x, i, j) * b_.room->multiplier(x, i, j);
  }

 private:
  Span a_, b_;
};

}  // namespace

Slot<SpanRoom> operator&(const Slot<SpanRoom>& a, const Slot<SpanRoom>& b) {
  if (!a.room) return b;
  if (!b.room) return a;
  return {std::make_shared<Both>(a, b)};
}

}  // namespace heed::attention
