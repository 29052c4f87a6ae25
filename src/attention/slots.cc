#include "attention/slots.h"

namespace heed::attention {

const ScoreRoom& room_of(const Scores& slot) {
  static const Scores scaled = scaled_dot();
  return slot.room ? *slot.room : *scaled.room;
}
const PositionRoom* room_of(const Position& slot) { return slot.room.get(); }
const SpanRoom* room_of(const Span& slot) { return slot.room.get(); }

}  // namespace heed::attention
