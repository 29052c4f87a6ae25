// Norms of channels, x [batch][channels][inner] (inner: the pixels of an image, 1 where there are none):
// batch norm (Ioffe & Szegedy, 2015) over batch and inner of each channel, group norm (Wu & He, 2018) over the channels
// of a group and inner of each element; groups = channels is instance norm.
//   y = (x - mean) rstd w_c + b_c, rstd = 1 / sqrt(variance + epsilon)
#pragma once

#include <cstdint>

namespace heed::kernels {

template <class T>
struct ChannelNorm {
  const T* x = nullptr;
  const T* weight = nullptr;  // [channels], or none
  const T* bias = nullptr;    // [channels], or none
  T* out = nullptr;           // may be x
  T* mean = nullptr;          // batch norm [channels], group norm [batch][groups]: written, but read by inference
  T* rstd = nullptr;
  int64_t batch = 0, channels = 0, inner = 0;
  double epsilon = 1e-5;
};

// Averages that batch norm keeps for inference: running += momentum (batch's - running). PyTorch counts the variance by
// n - 1 here (unbiased), Keras by n, and Keras' momentum is 1 - this one.
template <class T>
struct RunningStatistics {
  T* mean = nullptr;  // [channels]
  T* variance = nullptr;
  double momentum = 0.1;
  bool unbiased = true;
};

template <class T>
struct ChannelNormBackward {
  const T* x = nullptr;
  const T* weight = nullptr;
  const T* mean = nullptr;
  const T* rstd = nullptr;
  const T* out_gradient = nullptr;
  T* x_gradient = nullptr;       // may be out_gradient
  T* weight_gradient = nullptr;  // [channels], or not wanted
  T* bias_gradient = nullptr;    // [channels], or not wanted
  int64_t batch = 0, channels = 0, inner = 0;
};

// T is float or double. Training: statistics of this batch; `running` follows them where its pointers are set.
template <class T>
void batch_norm(const ChannelNorm<T>& of, const RunningStatistics<T>& running = {});

// Inference: statistics as given, rstd = 1 / sqrt(running variance + epsilon) is the caller's.
template <class T>
void batch_norm_inference(const ChannelNorm<T>& of);

// With h = (x - mean) rstd, g = dy w, means over the elements that were normalised together:
// dx = rstd (g - mean(g) - h mean(g h)), dw = sum dy h, db = sum dy. Writes its results; the same bits for any number
// of threads.
template <class T>
void batch_norm_backward(const ChannelNormBackward<T>& of);
// Statistics were given: dx = g rstd.
template <class T>
void batch_norm_inference_backward(const ChannelNormBackward<T>& of);

// groups divides channels.
template <class T>
void group_norm(const ChannelNorm<T>& of, int64_t groups);
template <class T>
void group_norm_backward(const ChannelNormBackward<T>& of, int64_t groups);

}  // namespace heed::kernels
