// SPDX-License-Identifier: Apache-2.0
// Faults of deaths.

macro_rules! death_mutations {
    ({ $($before:tt)* } $next:ident $($others:ident)*) => { $next! { { $($before)*
    // ---- death ----
    /// No recipient is told of a death.
    DeathsAreNotTold:
        "death_recipients.a_recipient_without_destroyCallback_is_told_and_goes",
        "death_recipients.a_told_recipient_lives_until_its_handle_goes",
        "wrappers.wrappers_of_one_object_share_its_dead_flag";
    /// Each recipient is told twice.
    DeathIsToldTwice:
        "death_callbacks.a_callback_may_call_other_processes",
        "death_callbacks.a_callback_may_destroy_other_recipients_and_wrappers",
        "death_callbacks.a_callback_may_start_a_process",
        "death_causes.a_stopped_process_is_not_dead",
        "death_recipients.a_recipient_without_destroyCallback_is_told_and_goes",
        "death_recipients.a_told_recipient_lives_until_its_handle_goes",
        "death_recipients.an_entry_outlives_the_wrappers",
        "death_recipients.one_recipient_watches_two_processes";
    /// Recipients are told by the thread that notices the death.
    DeathIsToldOnAnInnerThread:
        "death_callbacks.a_waiting_caller_runs_no_callbacks",
        "death_callbacks.callbacks_run_on_a_worker";
    /// The recipients of a proxy are told in reverse.
    CallbacksComeInReverse: "death_callbacks.callbacks_come_in_the_order_of_registration";
    /// A callback that does not return keeps the others waiting.
    CallbacksWaitForEver: "death_callbacks.a_blocked_callback_does_not_keep_the_next_one_waiting";
    /// A recipient that is added again replaces itself.
    EntriesAreMerged:
        "death_callbacks.a_callback_may_take_a_lock_that_callers_of_the_library_hold",
        "death_recipients.a_recipient_added_twice_is_told_twice",
        "death_recipients.both_entries_of_a_recipient_can_be_removed",
        "death_recipients.remove_takes_one_entry";
    /// Removing a recipient removes all its entries.
    RemoveTakesAllEntries:
        "death_recipients.both_entries_of_a_recipient_can_be_removed",
        "death_recipients.recipients_added_and_removed_by_many_threads_are_told_right",
        "death_recipients.remove_takes_one_entry";
    /// A removed recipient is told all the same.
    RemovedEntriesAreTold:
        "death_callbacks.a_callback_may_watch_other_processes",
        "death_recipients.an_entry_that_was_removed_before_the_wrapper_went_is_not_told",
        "death_recipients.entries_through_different_wrappers_are_told_and_removed_alike",
        "death_recipients.processes_watch_an_object_independently",
        "death_recipients.recipients_added_and_removed_by_many_threads_are_told_right";
    /// A removed recipient's destroy callback does not run.
    RemovedRecipientsStay:
        "death_recipients.a_removed_recipient_goes_with_its_handle",
        "death_recipients.a_stub_that_its_owner_destroyed_is_not_dead",
        "death_recipients.the_death_of_one_process_is_not_anothers",
        "wrappers.wrappers_of_different_objects_share_nothing";
    /// The destroy callback of a recipient is not called.
    RecipientsAreNotDestroyed:
        "death_recipients.a_recipient_that_is_registered_nowhere_goes_with_its_handle",
        "death_recipients.a_removed_recipient_goes_with_its_handle",
        "death_recipients.a_stub_that_its_owner_destroyed_is_not_dead";
    /// A proxy goes with its last wrapper, its recipients with it.
    EntriesDoNotKeepTheirProxy:
        "death_recipients.a_recipient_without_destroyCallback_is_told_and_goes",
        "death_recipients.a_told_recipient_lives_until_its_handle_goes",
        "wrappers.wrappers_of_one_object_share_its_dead_flag";
    /// A proxy stays though its last recipient was removed.
    RemovedEntriesKeepTheirProxy: "death_recipients.an_entry_keeps_the_object_alive";
    /// That a death was told is not noted.
    NoticeIsForgotten:
        "death_after.nothing_is_added_or_removed_after_the_notice",
        "death_callbacks.a_callback_may_do_everything_with_its_object",
        "death_callbacks.a_callback_may_take_a_lock_that_callers_of_the_library_hold";
    /// A recipient that is added to a dead proxy is not told.
    LateRecipientsAreNotTold:
        "death_after.a_dead_object_can_be_sent_on",
        "death_after.a_forwarded_proxy_learns_of_the_death",
        "death_after.a_recipient_added_to_one_that_is_known_to_be_dead_is_told_at_once";
    /// No recipient can be added to a dead proxy.
    LateRecipientsAreRefused:
        "death_after.a_dead_object_can_be_sent_on",
        "death_after.a_forwarded_proxy_learns_of_the_death",
        "death_after.a_recipient_added_to_one_that_is_known_to_be_dead_is_told_at_once";
    /// A recipient can be removed from a dead proxy.
    TheDeadLoseRecipients: "death_callbacks.a_callback_may_take_a_lock_that_callers_of_the_library_hold";
    /// A death that nobody was told of is not known.
    UnwatchedDeathIsUnknown:
        "death_after.a_death_that_nobody_watches_is_known",
        "death_after.a_recipient_added_to_one_that_is_known_to_be_dead_is_told_at_once",
        "death_after.requests_to_an_unwatched_dead_object_fail";
    /// A request to a proxy whose death was told gives an inner error.
    ToldDeathIsAnInnerError:
        "calls_under_way.waiting_calls_are_woken_and_recipients_are_told",
        "death_after.a_recipient_added_to_a_dead_object_is_told_at_once",
        "death_after.a_told_death_is_one_objects_own",
        "death_after.requests_after_the_notice_fail",
        "death_callbacks.callbacks_come_when_the_remote_is_known_to_be_dead",
        "death_causes.a_crash_is_told",
        "death_causes.a_kill_from_inside_is_told",
        "death_causes.a_normal_end_is_told",
        "death_causes.a_stopped_process_that_is_killed_is_dead",
        "death_causes.abort_is_told",
        "death_causes.becoming_another_program_is_told",
        "death_causes.end_without_cleanup_is_told",
        "death_causes.exit_in_an_asynchronous_request_is_told",
        "death_causes.exit_is_told",
        "death_causes.sigkill_is_told";
    /// A dead proxy cannot be sent.
    TheDeadCannotBeSent:
        "death_after.a_dead_object_can_be_sent_on",
        "death_after.a_dead_object_can_be_sent_on_after_the_notice";
    /// A death is told to the recipients of one of the process's stubs.
    OneStubsDeathIsTold: "death_recipients.a_death_is_told_for_each_stub_of_the_process";
    /// A destroyed wrapper takes the object's recipients along.
    WrappersTakeEntriesAlong: "death_recipients.an_entry_outlives_the_wrapper_through_which_it_was_added";
    /// A recipient whose handle is destroyed is not told.
    HandlesTakeEntriesAlong: "death_recipients.an_entry_outlives_the_recipients_handle";
    /// The death of one object is told after the callbacks of another have returned.
    DeathsAreToldOneByOne: "death_callbacks.a_blocked_callback_delays_nobody_else";
    /// No recipient can be added or removed while a callback runs.
    CallbacksHoldALock: "bad_handlers.the_callbacks_of_a_recipient_call_everything";
    /// A recipient can be added to a stub of the own process.
    OwnStubsTakeRecipients: "direct_calls.death_recipients_are_refused";
    // ---- calls at a death ----
    /// A call under way is not woken by its callee's death.
    DeathWakesNobody:
        "calls_under_way.a_call_is_woken_though_its_proxy_was_destroyed",
        "calls_under_way.a_call_that_waits_is_woken",
        "calls_under_way.a_callee_that_dies_while_it_calls_back_wakes_its_caller";
    /// A call that a death wakes gets another code.
    WokenCallsGetAnotherCode:
        "bad_handlers.a_direct_handler_that_throws",
        "bad_handlers.a_handler_that_ends_its_thread",
        "bad_handlers.a_handler_that_jumps_out",
        "bad_handlers.a_handler_that_throws",
        "bad_handlers.a_handler_that_throws_a_number",
        "bad_handlers.a_nested_handler_that_throws",
        "bad_handlers.other_callers_of_a_thrower",
        "calls_under_way.a_call_is_woken_though_its_proxy_was_destroyed",
        "calls_under_way.a_call_that_waits_is_woken",
        "calls_under_way.a_callee_that_dies_while_it_calls_back_wakes_its_caller",
        "calls_under_way.a_chain_of_calls_is_woken_at_each_link",
        "calls_under_way.a_death_while_calls_begin_and_end_loses_none",
        "calls_under_way.the_death_of_a_link_wakes_the_first_caller",
        "calls_under_way.twenty_calls_that_wait_are_woken",
        "child_life.children_that_end_around_their_reply",
        "child_life.children_that_end_while_they_answer",
        "send_request.a_call_through_a_middleman_that_dies",
        "send_request.a_call_through_a_middleman_whose_callee_dies",
        "send_request.a_handler_that_kills_its_process",
        "send_request.a_waiting_call_ends_with_its_process";
    /// A request to a dead process waits.
    DeadAreWaitedFor:
        "child_life.a_reply_is_there_before_the_process_ends",
        "death_after.a_refused_request_leaves_its_parcels_alone",
        "death_after.an_object_in_a_parcel_learns_of_the_death",
        "send_request.a_process_that_ended_normally_is_dead";
    /// A handler that throws does not end its process.
    ThrowersHang:
        "bad_handlers.a_direct_handler_that_throws",
        "bad_handlers.an_async_handler_that_throws",
        "bad_handlers.other_callers_of_a_thrower";
    /// A thread may be cancelled within a call.
    CallsAreCancelled:
        "bad_handlers.a_thread_inside_the_library_is_not_cancelled",
        "cancellation.calls_between_processes_are_whole",
        "cancellation.parcels_are_changed_as_a_whole";
    /// A process that could not be connected to for want of descriptors counts as dead.
    TheUnreachableAreDead:
        "shortage.a_caller_without_descriptors_knows_no_death",
        "shortage.an_owner_without_descriptors_is_not_dead";
    /// That a connection was refused for want of descriptors is told as a lie of who connects.
    WantIsToldAsALie: "shortage.an_owner_without_descriptors_is_not_dead";
    /// The asynchronous messages of a dead process are not handled.
    MessagesOfTheDeadAreLost:
        "calls_under_way.a_request_that_a_process_sends_with_its_last_breath_arrives",
        "calls_under_way.requests_that_a_process_had_sent_before_its_end_arrive",
        "forwarding.a_message_that_waits_holds_its_objects_when_its_sender_is_killed";
    } $($others)* } };
}
