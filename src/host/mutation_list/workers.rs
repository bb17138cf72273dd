// SPDX-License-Identifier: Apache-2.0
// Faults of who handles a request.

macro_rules! workers_mutations {
    ({ $($before:tt)* } $next:ident $($others:ident)*) => { $next! { { $($before)*
    // ---- requests back ----
    /// A request back to a waiting thread is handled by the pool.
    RequestsBackGoToThePool:
        "nested.back_on_the_waiting_thread",
        "nested.back_to_an_async_handler_that_waits",
        "nested.depth_60_on_two_threads";
    /// A request back is handled by any waiting thread.
    AnyWaitingThreadIsTheRightOne:
        "nested.back_on_the_waiting_one_of_many_threads",
        "nested.nesting_does_not_starve_pools";
    /// Only the direct caller's waiting thread is asked back.
    OnlyTheDirectCallerIsKnown:
        "identity.the_caller_is_the_nearest_one",
        "nested.back_through_a_third_process",
        "nested.thread_local_state_and_recursive_locks";
    /// A request of any thread of a process goes back to the thread that called that process.
    ChainsAreOfProcesses: "nested.another_thread_of_the_callee_on_a_pool_thread";
    // ---- workers ----
    /// The pool has a thread less than it may have.
    PoolHasOneLess:
        "threads.async_handlers_take_workers_too",
        "threads.raising_serves_who_waits",
        "threads.requests_wait_in_order";
    /// The pool has a thread more than it may have.
    PoolHasOneMore: "threads.each_joined_thread_is_one_more", "threads.lowering_stops_no_thread";
    /// All threads of the pool are started at once.
    PoolIsStartedWhole:
        "join_and_stop.only_joined_threads_are_left",
        "threads.set_max_can_be_raised",
        "threads.workers_are_created_as_needed";
    /// All workers have one number in their names.
    WorkersShareANumber: "threads.threads_are_named_by_number_and_id";
    /// The pool's threads have other names than on a device.
    WorkersHaveAnotherName:
        "differences.threads_have_names_by_which_they_are_known",
        "threads.threads_are_named_by_number_and_id";
    /// A worker ends after its first work.
    WorkersServeOnce:
        "threads.set_max_before_anything_else",
        "threads.set_max_gives_one_more",
        "threads.seventeen_handlers_at_once";
    /// The number of workers cannot be set.
    SetMaxIsIgnored: "threads.set_max_before_anything_else", "threads.set_max_can_be_raised";
    /// 33 workers may be asked for.
    SetMaxTakesThirtyThree: "threads.set_max_takes_1_to_32";
    /// Raising the number of workers starts none for what waits.
    RaisingStartsNobody: "threads.raising_serves_who_waits";
    /// Workers beyond a lowered number end.
    LoweringEndsThreads: "threads.lowering_stops_no_thread";
    /// The job that was given last is done first.
    LastJobComesFirst: "threads.requests_of_two_processes_wait_in_order", "threads.requests_wait_in_order";
    /// `StopWorkThread` does nothing.
    StopIsIgnored:
        "join_and_stop.join_and_stop_on_the_main_thread",
        "join_and_stop.join_serves_until_stopped",
        "join_and_stop.stop_ends_a_pool_thread",
        "join_and_stop.stop_in_a_nested_handler_ends_the_thread_later";
    /// `StopWorkThread` ends another thread of the pool.
    StopIsForAnotherThread: "join_and_stop.stop_is_for_its_own_thread", "join_and_stop.stopped_before_it_joins";
    /// A stopped thread of the pool is missing for good.
    StoppedThreadsAreNotReplaced:
        "join_and_stop.a_pool_stopped_empty",
        "join_and_stop.only_joined_threads_are_left",
        "join_and_stop.stopped_pool_threads_are_replaced";
    /// A thread that was stopped before it joins serves all the same.
    JoinForgetsAnEarlierStop:
        "join_and_stop.stopped_before_it_joins",
        "join_and_stop.stopped_while_it_waits_before_it_joins";
    /// A joined thread takes a place of the pool.
    JoinedThreadsTakeAPlace: "join_and_stop.only_joined_threads_are_left", "threads.each_joined_thread_is_one_more";
    /// A stub starts the threads of the library.
    StubsStartThreads: "differences.a_stub_alone_starts_no_thread";
    /// To set the number of workers starts none.
    SkeletonCallsStartNobody: "threads.a_skeleton_call_starts_the_first_worker";
    /// A worker can be cancelled by its handler.
    WorkersAreCancelled: "cancellation.workers_are_not_cancelled";
    } $($others)* } };
}
