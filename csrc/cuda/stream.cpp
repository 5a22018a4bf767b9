// Streams and events.
#include "cuda/stream.h"

#include "cuda/cuda_check.h"

namespace fastpose {

CudaStream::CudaStream(CudaCalls& calls, bool high_priority) : calls_(&calls) {
    check_cuda(calls, calls.create_stream(handle_, high_priority), "to make a stream");
}

CudaStream::~CudaStream() { static_cast<void>(calls_->destroy_stream(handle_)); }

void CudaStream::synchronize() { check_cuda(*calls_, calls_->synchronize(handle_), "work on a stream"); }

void CudaStream::begin_capture() {
    check_cuda(*calls_, calls_->begin_capture(handle_), "to begin a capture");
}

CudaHandle CudaStream::end_capture(std::string& error) {
    CudaHandle graph = nullptr;
    const int code = calls_->end_capture(handle_, graph);
    if (code == 0 && graph != nullptr) return graph;
    error = code == 0 ? "nothing was captured" : cuda_error_text(*calls_, code);
    calls_->clear_error();
    if (graph != nullptr) static_cast<void>(calls_->destroy_graph(graph));
    return nullptr;
}

CudaEvent::CudaEvent(CudaCalls& calls) : calls_(&calls) {
    check_cuda(calls, calls.create_event(handle_), "to make an event");
}

CudaEvent::~CudaEvent() {
    if (handle_ != nullptr) static_cast<void>(calls_->destroy_event(handle_));
}

}  // namespace fastpose
