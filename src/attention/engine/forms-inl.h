// The forms of scores that are more than a product, where the numbers allow for them.
#if defined(HEED_ATTENTION_ENGINE_FORMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_ATTENTION_ENGINE_FORMS_INL_H_
#undef HEED_ATTENTION_ENGINE_FORMS_INL_H_
#else
#define HEED_ATTENTION_ENGINE_FORMS_INL_H_
#endif

#include "attention/engine/added-inl.h"
#include "attention/engine/relative-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::attention {
namespace HWY_NAMESPACE {

// Stands for the forms of scores that bf16 lacks.
struct Absent {
  template <class... Arguments>
  explicit Absent(const Arguments&...) {}
  static int64_t size(int64_t, int64_t) { return 0; }
  explicit operator bool() const { return false; }
};
template <class T>
using AddedOf = std::conditional_t<kEveryForm<T>, AddedScores<Number<T>>, Absent>;
template <class T>
using RelativeOf = std::conditional_t<kEveryForm<T>, RelativeBlock<Number<T>>, Absent>;

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#endif  // HEED_ATTENTION_ENGINE_FORMS_INL_H_
