// An order to stop that reaches a handler in the middle of its work: what runs then ends at once. Loop thread only.
#pragma once

#include "libmsg/runtime/suspend.hpp"
#include "libmsg/runtime/task.hpp"

namespace parley::kinds {

class StopSignal {
 public:
  /// Forgets an earlier order.
  void arm() { is_ordered_ = false; }
  /// Ends the present run() and all later ones, until arm().
  void order();

  /// Runs `work` to its end; true. At an order cancels it, waits until nothing of it runs any more; false. What it
  /// throws of itself is thrown here. One at a time.
  Task<bool> run(Task<> work);

 private:
  Task<> until_ordered();

  bool is_ordered_ = false;
  Resume<bool> waiting_;
};

}  // namespace parley::kinds
