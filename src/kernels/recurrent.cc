#include "kernels/recurrent.h"

#include "kernels/recurrent_plain.h"

namespace heed::kernels {

template <class Real>
int64_t recurrent_workspace(const RecurrentShape& shape) {
  return plain::Saved<Real>{shape, nullptr}.size();
}

template <class Real>
void recurrent_forward(const RecurrentShape& shape, const RecurrentInputs<Real>& in, const RecurrentOutputs<Real>& out,
                       Real* workspace) {
  plain::forward(shape, in, out, workspace);
}

template <class Real>
void recurrent_backward(const RecurrentShape& shape, const RecurrentInputs<Real>& in,
                        const RecurrentGradients<Real>& gradients, Real* workspace) {
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
