// From the kinds that are known at run time to the kernel that was compiled for them.
#pragma once
#include "infer/group_norm.h"

namespace fastpose {

// Kernel<residual, relu, out>::run is the affine map of one instruction set.
template <template <ElementKind, bool, ElementKind> class Kernel, ElementKind residual, bool relu>
void dispatch_output(const ChannelAffine& job) {
    if (job.out_kind == ElementKind::u8) return Kernel<residual, relu, ElementKind::u8>::run(job);
    if (job.out_kind == ElementKind::i8) return Kernel<residual, relu, ElementKind::i8>::run(job);
    return Kernel<residual, relu, ElementKind::f32>::run(job);
}

template <template <ElementKind, bool, ElementKind> class Kernel, ElementKind residual>
void dispatch_relu(const ChannelAffine& job) {
    return job.relu ? dispatch_output<Kernel, residual, true>(job)
                    : dispatch_output<Kernel, residual, false>(job);
}

template <template <ElementKind, bool, ElementKind> class Kernel>
void dispatch_affine(const ChannelAffine& job) {
    switch (job.residual.kind) {
        case ElementKind::none:
            return dispatch_relu<Kernel, ElementKind::none>(job);
        case ElementKind::f32:
            return dispatch_relu<Kernel, ElementKind::f32>(job);
        case ElementKind::u8:
            return dispatch_relu<Kernel, ElementKind::u8>(job);
        case ElementKind::i8:
            return dispatch_relu<Kernel, ElementKind::i8>(job);
    }
}

}  // namespace fastpose
