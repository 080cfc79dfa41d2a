// The agent that misbehaves on command; it exists for these tests only. Run as `parley-chaos worker`.
#pragma once

namespace parley::chaos {

inline constexpr const char* kEchoType = "echo";

/// A worker process with one agent type, `echo`, which answers a parley.Text with itself, except for these texts:
/// `spin` keeps the loop busy for ever, `hang` never returns, `crash` aborts the process after a while.
/// `--type NAME` names the type, `--progress MS` is how long a handler may show no progress, `--crash` ends the process
/// at its start.
int run_chaos_worker(int argc, char** argv);

}  // namespace parley::chaos
