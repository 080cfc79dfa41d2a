// The main of a custom agent:
//
//     int main(int argc, char** argv) {
//       return parley::run_worker(argc, argv, "greeter", [](parley::Runtime& runtime) -> parley::Task<parley::Result<>>
//       {
//         co_return co_await runtime.register_type("greeter", [](const auto&) { return std::make_unique<Greeter>(); });
//       });
//     }
#pragma once

#include <functional>
#include <string>

#include "libmsg/runtime/runtime.hpp"

namespace parley {

/// Registers the process's agent types; a failure ends the process.
using WorkerSetup = std::function<Task<Result<>>(Runtime&)>;

/// Connects to `--broker ENDPOINT` or else PARLEY_BROKER, runs `setup`, says so on standard output (the line
/// `{"event":"ready"}`, for supervisors), serves until SIGTERM or SIGINT, then stops in good order. Errors and the log
/// (`--log-level`) go to standard error; `--help` lists the flags. Returns the exit code: 0 done, 1 failed, 2 bad usage
/// or configuration, 3 no broker reachable within `--timeout` (10 s). It serves no health page; its agents are in the
/// pages of the broker and in `parley ps`. Call it once, on the main thread.
int run_worker(int argc, char** argv, const std::string& name, const WorkerSetup& setup);

}  // namespace parley
