// Byte-level BPE's alphabet as a normaliser.
#include "text/byte_level.h"
#include "text/normalizers/table.h"

namespace heed::tokenize {
namespace {

struct ByteLevel : Normalizer {
  void apply(Aligned& text) const override { map_bytes(text); }
};

}  // namespace

std::unique_ptr<Normalizer> make_byte_level_normalizer(const Object&) { return std::make_unique<ByteLevel>(); }

}  // namespace heed::tokenize
