// Looks in the order in which things go wrong: driver, its version, devices, code for them.
#include "cuda/status.h"

#include <algorithm>

#include "base/error.h"
#include "cuda/cuda_check.h"

namespace fastpose {
namespace {

std::string version_text(int version) {
    return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

// The oldest driver of a CUDA generation, by NVIDIA's table of minor version compatibility.
std::string driver_for(int runtime) {
    if (runtime >= 13000) return "580";
    return runtime >= 12000 ? "525" : "450";
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

// Why nothing runs with this driver; empty: something may.
std::string driver_problem(int driver, int runtime) {
    const std::string needed =
        "a driver from " + driver_for(runtime) + " on for this build's CUDA " + version_text(runtime);
    if (driver == 0)
        return "there is no NVIDIA driver; needed is an NVIDIA GPU and " + needed + ", or device cpu";
    if (driver / 1000 < runtime / 1000)
        return "the driver runs CUDA up to " + version_text(driver) + "; needed is " + needed +
               ", or a build with CUDA " + std::to_string(driver / 1000);
    return "";
}

std::string capability(const CudaDevice& device) {
    return std::to_string(device.major) + "." + std::to_string(device.minor);
}

// "9.0" runs on 9.0 and later minors of 9; "12.0+ptx" is compiled by the driver for anything from 12.0 on.
bool runs_on(const std::string& code, const CudaDevice& device) {
    const int major = std::stoi(code), minor = std::stoi(code.substr(code.find('.') + 1));
    if (device.major == major) return device.minor >= minor;
    return code.ends_with("+ptx") && device.major > major;
}

std::string device_problem(const CudaDevice& device, const std::vector<std::string>& built_for) {
    for (const std::string& code : built_for)
        if (runs_on(code, device)) return "";
    return device.name + " has compute capability " + capability(device) + "; this build has code for " +
           joined(built_for) + "; build with CMAKE_CUDA_ARCHITECTURES=" + std::to_string(device.major) +
           std::to_string(device.minor) + ", or use device cpu";
}

CudaDeviceStatus device_status(CudaCalls& calls, int index, const std::vector<std::string>& built_for) {
    CudaDeviceStatus status{index, {}, ""};
    const int error = calls.device(index, status.device);
    status.problem = error == 0 ? device_problem(status.device, built_for) : cuda_error_text(calls, error);
    calls.clear_error();
    return status;
}

int device_count(CudaCalls& calls, std::string& problem) {
    int count = 0;
    const int error = calls.device_count(count);
    calls.clear_error();
    if (error == 0 && count > 0) return count;
    const std::string reason = error == 0 ? "" : " (" + cuda_error_text(calls, error) + ")";
    problem =
        "the driver shows no GPU" + reason + "; see nvidia-smi and CUDA_VISIBLE_DEVICES, or use device cpu";
    return 0;
}

CudaStatus versions(CudaCalls& calls) {
    CudaStatus status;
    status.built_for = calls.built_for();
    int runtime = 0, driver = 0;
    if (calls.runtime_version(runtime) != 0) runtime = 0;
    if (calls.driver_version(driver) != 0) driver = 0;
    calls.clear_error();
    status.runtime = version_text(runtime);
    status.driver = driver == 0 ? "" : version_text(driver);
    status.problem = driver_problem(driver, runtime);
    return status;
}

}  // namespace

CudaStatus cuda_status(CudaCalls& calls) {
    CudaStatus status = versions(calls);
    if (!status.problem.empty()) return status;
    const int count = device_count(calls, status.problem);
    for (int index = 0; index < count; ++index)
        status.devices.push_back(device_status(calls, index, status.built_for));
    const auto usable = [](const CudaDeviceStatus& device) { return device.problem.empty(); };
    if (count > 0 && std::ranges::none_of(status.devices, usable))
        status.problem = status.devices.front().problem;
    return status;
}

void require_cuda_device(CudaCalls& calls, int index) {
    CudaStatus status = versions(calls);
    const int count = status.problem.empty() ? device_count(calls, status.problem) : 0;
    if (status.problem.empty() && (index < 0 || index >= count))
        status.problem = "there is none of this number; allowed: cuda:0 to cuda:" + std::to_string(count - 1);
    if (status.problem.empty()) status.problem = device_status(calls, index, status.built_for).problem;
    if (!status.problem.empty())
        throw DeviceError("device cuda:" + std::to_string(index) + ": " + status.problem);
    check_cuda(calls, calls.set_device(index), "to choose the device");
    check_cuda(calls, calls.load(KernelId::preprocess_mono8), "to load the kernels");
}

}  // namespace fastpose
