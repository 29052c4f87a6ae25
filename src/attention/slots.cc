#include "attention/slots.h"

#include "base/check.h"

namespace heed::attention {

const ScoreRoom& room_of(const Scores& slot) {
  static const Scores scaled = scaled_dot();
  return slot.room ? *slot.room : *scaled.room;
}
const PositionRoom* room_of(const Position& slot) { return slot.room.get(); }
const SpanRoom* room_of(const Span& slot) { return slot.room.get(); }

Tensor without_padding(const Pipeline& p, const Tensor& rows) {
  if (!p.lengths.defined()) return rows;
  const Tensor places = reshape(arange(p.n.keys), {1, 1, p.n.keys, 1});
  return masked_fill(rows, greater_equal(places, reshape(p.lengths, {p.n.batch, 1, 1, 1})), 0);
}

std::vector<int64_t> integers(const char* who, const Tensor& x) {
  check(x.dtype() == Dtype::i64, "attend", "{} are {}, wanted i64", who, heed::name(x.dtype()));
  const Tensor all = x.packed();
  return {all.span<int64_t>().begin(), all.span<int64_t>().end()};
}

Tensor shorter(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() ? a : b;
  return where(less(a, b), a, b);
}
Tensor key_lengths(const AttendOptions& options) {
  const SpanRoom* span = room_of(options.span);
  return shorter(options.key_lengths, span ? span->lengths() : Tensor());
}

}  // namespace heed::attention

namespace heed {

ReadAhead read_ahead(const Scores& scores, const Tensor& k) {
  ReadAhead ahead = attention::room_of(scores).read_ahead(k);
  return ahead.scores.room ? ahead : ReadAhead{scores, ahead.keys};
}

}  // namespace heed
