// All of heed.
//
//   heed::Tensor x = heed::tensor({{1, 2}, {3, 4}}).requires_grad(true);
//   heed::backward(heed::sum(heed::matmul(x, x)));
//   std::cout << x.grad() << '\n';
#pragma once

#include <heed/attention.h>
#include <heed/autograd.h>
#include <heed/base.h>
#include <heed/explain.h>
#include <heed/generate.h>
#include <heed/io.h>
#include <heed/models.h>
#include <heed/nn.h>
#include <heed/ops.h>
#include <heed/tensor.h>
#include <heed/text.h>
#include <heed/train.h>
