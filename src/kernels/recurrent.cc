#include "kernels/recurrent.h"

#include <type_traits>

#include "kernels/recurrent_fast.h"
#include "kernels/recurrent_plain.h"

namespace heed::kernels {

template <class Real>
int64_t recurrent_workspace(const RecurrentShape& shape) {
  if constexpr (std::is_same_v<Real, float>)
    return recurrent::workspace(shape);
  else
    return plain::Saved<Real>{shape, nullptr}.size();
}

template <class Real>
void recurrent_forward(const RecurrentShape& shape, const RecurrentInputs<Real>& in, const RecurrentOutputs<Real>& out,
                       Real* workspace) {
  if constexpr (std::is_same_v<Real, float>)
    recurrent::forward(shape, in, out, workspace);
  else
    plain::forward(shape, in, out, workspace);
}

template <class Real>
void recurrent_backward(const RecurrentShape& shape, const RecurrentInputs<Real>& in,
                        const RecurrentGradients<Real>& gradients, Real* workspace) {
  if constexpr (std::is_same_v<Real, float>)
    recurrent::backward(shape, in, gradients, workspace);
  else
    plain::backward(shape, in, gradients, workspace);
}

template int64_t recurrent_workspace<float>(const RecurrentShape&);
template int64_t recurrent_workspace<double>(const RecurrentShape&);
template void recurrent_forward(const RecurrentShape&, const RecurrentInputs<float>&, const RecurrentOutputs<float>&,
                                float*);
template void recurrent_forward(const RecurrentShape&, const RecurrentInputs<double>&, const RecurrentOutputs<double>&,
                                double*);
template void recurrent_backward(const RecurrentShape&, const RecurrentInputs<float>&, const RecurrentGradients<float>&,
                                 float*);
template void recurrent_backward(const RecurrentShape&, const RecurrentInputs<double>&,
                                 const RecurrentGradients<double>&, double*);

}  // namespace heed::kernels
