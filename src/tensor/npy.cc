#include "tensor/npy.h"

#include <heed/io.h>

#include <algorithm>

#include "base/check.h"
#include "tensor/arena.h"

namespace heed {
namespace npy {
namespace {

// Each element's bytes turned round.
Bytes swapped_bytes(const Bytes& data, int64_t element_bytes) {
  const std::shared_ptr<void> block(arena::allocate(data.size), arena::give_back);
  auto* to = static_cast<uint8_t*>(block.get());
  for (int64_t i = 0; i < data.size; i += element_bytes)
    std::reverse_copy(data.data + i, data.data + i + element_bytes, to + i);
  return {to, data.size, block};
}

std::vector<int64_t> stored_shape(const Header& header) {
  std::vector<int64_t> shape = header.shape;
  if (header.columns_first) std::reverse(shape.begin(), shape.end());
  return shape;
}

}  // namespace

int64_t data_bytes(const Header& header, std::string_view where) {
  if (!header.encoding) {
    const bool object = header.dtype.size() > 1 && header.dtype[1] == 'O';
    fail(ErrorKind::data, where, "dtype {} is {}; save it as numbers", header.dtype,
         object ? "Python objects, which are never read" : "no kind of number that tensors hold");
  }
  const std::optional<int64_t> bytes = bytes_of(*header.encoding, header.shape);
  check_format(bytes.has_value(), where, "shape: its elements do not fit into 64 bits");
  return *bytes;
}

Bytes ordered_elements(const Header& header, const Bytes& data, std::string_view where) {
  const int64_t wanted = data_bytes(header, where);
  check_format(data.size == wanted, where, "wrong shape: it takes {} bytes, the file holds {}", wanted, data.size);
  const int64_t bits = bits_of(*header.encoding), part = *header.encoding == Encoding::c64 ? 4 : bits / 8;
  return header.swapped && part > 1 ? swapped_bytes(data, part) : data;
}

Tensor tensor_from(const Header& header, const Bytes& data, std::string_view where) {
  const Bytes elements = ordered_elements(header, data, where);
  Tensor stored = tensor_of(elements, *header.encoding, stored_shape(header), where);
  if (!header.columns_first) return stored;
  Shape order = stored.shape();
  for (int i = 0; i < order.rank(); ++i) order[i] = order.rank() - 1 - i;
  return stored.permute(order).packed();
}

Tensor load(const Bytes& file, std::string_view where) {
  const Header header = parse(file.span(), where);
  return tensor_from(header, file.part(header.data_begin, file.size), where);
}

Tensor writable(const Tensor& tensor) {
  return (tensor.dtype() == Dtype::bf16 ? tensor.to(Dtype::f32) : tensor).packed();
}

static const char* numpy_name(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
    case Dtype::bf16: return "<f4";
    case Dtype::f64: return "<f8";
    case Dtype::f16: return "<f2";
    case Dtype::i64: return "<i8";
    case Dtype::i32: return "<i4";
    case Dtype::u8: return "|u1";
    case Dtype::boolean: return "|b1";
  }
  fail(ErrorKind::usage, "npy", "unknown dtype {}", static_cast<int>(dtype));
}

// Padded so that the elements begin at a multiple of 64 bytes; 118 bytes of dictionary at most reach eight dimensions.
std::string header_text(const Tensor& tensor) {
  std::string shape = fmt::format("{}", fmt::join(tensor.shape().begin(), tensor.shape().end(), ", "));
  if (tensor.rank() == 1) shape += ",";
  std::string text =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", numpy_name(tensor.dtype()), shape);
  const size_t whole = (10 + text.size() + 1 + 63) / 64 * 64;
  text.resize(whole - 11, ' ');
  text += '\n';
  std::string header("\x93NUMPY\x01\0", 8);
  header += static_cast<char>(text.size() & 255);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

}  // namespace npy

Tensor load_npy(const std::string& path, const LoadOptions& options) {
  return npy::load(file_bytes(path, options.map), path);
}

void save_npy(const std::string& path, const Tensor& tensor) {
  check(tensor.defined(), path, "the tensor is undefined");
  const Tensor packed = npy::writable(tensor);
  const std::string header = npy::header_text(packed);
  AtomicFile file(path);
  file.write(header.data(), static_cast<int64_t>(header.size()));
  file.write(packed.raw(), packed.numel() * size_of(packed.dtype()));
  file.commit();
}

}  // namespace heed
