// SPDX-License-Identifier: Apache-2.0
// Each fault, what it breaks, and tests of c-tests/conformance/ that have to fail with it. The library takes the names from
// here, tools/mutants/ the rest.

mutations! {
    // ---- data that is sent ----
    /// A request carries what stands behind the read cursor of its data.
    DataBehindTheCursorIsSent:
        "data_parcels.a_received_reply_is_passed_on_once",
        "data_parcels.all_of_the_data_arrives",
        "data_parcels.truncated_data_arrives_truncated";
    /// Data is empty after it was sent.
    SentDataIsEmptied:
        "data_parcels.a_received_parcel_is_appended",
        "data_parcels.a_stub_is_sent_twice",
        "data_parcels.data_can_be_sent_again_and_written_on",
        "data_parcels.data_stays_as_it_was",
        "read_only_parcels.a_handlers_data_refuses_writes",
        "read_only_parcels.a_refused_buffer_empties_data",
        "read_only_parcels.a_refused_token_empties_data",
        "read_only_parcels.rewinding_the_write_cursor_empties_data";
    /// Received data that was passed on is not emptied.
    PassedOnDataStays:
        "data_parcels.a_handlers_data_is_passed_on_once",
        "data_parcels.a_received_reply_is_passed_on_async",
        "data_parcels.a_received_reply_is_passed_on_once";
    /// Received data has a size that is a multiple of 4.
    OddSizesArePadded: "data_parcels.sizes_that_are_no_multiple_of_four";
    /// Received data has 64 KiB at the most.
    LongDataIsCut: "data_parcels.data_of_every_size_arrives_whole", "data_parcels.replies_of_every_size_arrive_whole";
    /// Received data has 500 objects at the most.
    ManyObjectsAreLost: "data_parcels.many_stubs_in_one_parcel", "wrappers.six_hundred_stubs_in_one_request";
    /// An object is sent though its offset is no multiple of 4.
    ObjectsMayLieAnywhere:
        "data_parcels.an_odd_offset_delivers_nothing",
        "data_parcels.objects_at_odd_offsets_are_refused";
    /// A received parcel can be written to.
    ReceivedParcelsTakeWrites:
        "read_only_parcels.a_refused_buffer_empties_a_reply",
        "read_only_parcels.a_refused_token_empties_a_reply",
        "read_only_parcels.a_reply_refuses_writes",
        "read_only_parcels.rewinding_the_write_cursor_empties_a_reply";
    // ---- requests ----
    /// A request may have the code 0x01000000.
    OneCodeTooMany:
        "direct_calls.arguments_are_checked_as_ever",
        "send_request.codes_outside_the_range_are_refused",
        "send_request.null_reply_comes_after_the_code";
    /// The largest code is refused.
    OneCodeTooFew: "direct_calls.data_is_handed_over_as_it_is", "send_request.codes_of_the_range_arrive";
    /// A request without an option is asynchronous.
    NoOptionIsAsync: "send_request.no_option_is_sync", "send_request.null_reply_comes_after_the_code";
    /// A missing argument gives an inner error.
    MissingArgumentsGetAnotherCode:
        "death_recipients.missing_arguments_are_refused",
        "identity_text.null_arguments",
        "interface_descriptor.null_arguments",
        "send_request.null_proxy_or_data_comes_first";
    /// A missing reply is noticed before a wrong code.
    NullReplyIsLookedAtFirst:
        "send_request.a_dead_process_is_told_at_once",
        "send_request.codes_outside_the_range_are_refused",
        "send_request.null_reply_comes_after_the_code";
    /// `reserved` of the option may be anything.
    ReservedIsIgnored: "direct_calls.arguments_are_checked_as_ever", "send_request.reserved_comes_before_the_code";
    /// A mode that is neither is asynchronous.
    UnknownModesAreAsync: "send_request.other_modes_are_sync";
    /// An asynchronous request is sent as a synchronous one.
    AsyncRequestsWait:
        "handler_results.async_results_are_thrown_away",
        "nested.async_back_on_a_pool_thread",
        "nested.sync_from_an_async_handler_on_a_pool_thread",
        "send_request.async_leaves_the_reply_alone",
        "send_request.async_returns_when_it_is_queued";
    // ---- replies and results ----
    /// A reply carries what stands behind the read cursor of the handler's parcel.
    RepliesLackTheirBegin: "reply_parcels.a_reply_is_read_from_the_start";
    /// A reply parcel that was used keeps what it held.
    UsedRepliesAreKept:
        "reply_parcels.a_reply_that_holds_an_earlier_one",
        "reply_parcels.a_reply_that_was_rewound",
        "reply_parcels.a_reply_that_was_written_to",
        "reply_parcels.a_reply_that_was_written_to_and_read",
        "reply_parcels.an_earlier_reply_that_was_rewound";
    /// The caller gets the reply of a handler that returned an error.
    ErrorsBringTheReply: "handler_results.errors_with_a_reply";
    /// An error is lost where the handler has written to the reply.
    ErrorsWithAReplyAreLost:
        "handler_results.errors_with_a_reply",
        "handler_results.errors_with_a_reply_are_told_once";
    /// The last of the users' own error codes counts as none of them.
    LastUserCodeIsMapped:
        "handler_results.errors_pass_through_a_chain",
        "handler_results.errors_with_a_reply",
        "handler_results.errors_without_a_reply";
    /// An error of an asynchronous handler stops the messages behind it.
    AsyncErrorsEndTheQueue: "handler_results.async_results_are_thrown_away";
    /// What a device does otherwise is logged each time.
    DifferencesAreToldEachTime:
        "handler_results.errors_with_a_reply_are_told_once",
        "reply_parcels.data_and_reply_are_one_parcel",
        "reply_parcels.unfresh_replies_are_told_once";
    /// What a device does otherwise is not logged.
    DifferencesAreNotTold:
        "death_after.leaning_on_the_documentation_is_said_once",
        "reply_parcels.data_and_reply_are_one_parcel",
        "reply_parcels.unfresh_replies_are_told_once";
    // ---- direct calls ----
    /// A direct handler writes to a reply that nobody gets.
    DirectRepliesAreLost:
        "direct_calls.a_direct_handler_destroys_its_stub",
        "direct_calls.direct_calls_nest",
        "direct_calls.the_reply_is_the_callers_own";
    /// A direct call succeeds whatever its handler returns.
    DirectErrorsAreLost: "direct_calls.errors_are_returned", "direct_calls.wrappers_keep_a_destroyed_stub";
    /// A direct call counts as a request of the own process.
    DirectCallsAreRequests:
        "direct_calls.a_proxy_that_came_home_is_direct",
        "direct_calls.inside_a_handler_the_outer_caller_stays",
        "direct_calls.the_identity_stays",
        "identity.direct_calls_in_handlers",
        "identity.direct_calls_outside_of_handlers",
        "identity_text.a_change_in_a_direct_call";
    // ---- room ----
    /// Replies that a process holds take none of its room.
    RepliesTakeNoRoom: "room.replies_and_requests_share_the_room", "room.replies_take_room_until_they_are_destroyed";
    /// Synchronous requests take none of their receiver's room.
    SyncTakesNoRoom:
        "room.async_fills_at_most_half",
        "room.replies_and_requests_share_the_room",
        "room.replies_take_room_until_they_are_destroyed";
    /// A message keeps its room for ever.
    RoomIsNotGivenBack:
        "reply_parcels.a_dropped_reply_keeps_its_room",
        "room.eight_sync_of_200_kib_at_once",
        "room.replies_and_requests_share_the_room";
    /// A message takes 64 bytes more than its data.
    MessagesTakeMoreRoom: "room.async_of_16_bytes", "room.async_of_1_kib";
    /// Asynchronous messages may take all of the room.
    AsyncMayTakeAllRoom:
        "room.async_of_200_kib",
        "room.async_of_64_kib",
        "room.smaller_async_still_fits",
        "room.the_room_of_each_receiver_is_its_own";
    /// Synchronous requests take no room from asynchronous ones.
    AsyncHasRoomOfItsOwn: "room.sync_can_leave_async_no_room";
    /// A sender does not count what others have sent.
    EachSenderHasItsRoom: "room.the_room_is_one_for_all_senders";
    /// `IPCKIT_RECEIVE_BUFFER` is not looked at.
    RoomCannotBeRaised: "room.the_room_can_be_raised";
    /// A refused message's receiver is not told.
    RefusalsNameNobody: "room.a_refusal_is_told";
    // ---- asynchronous order ----
    /// The asynchronous message that was sent last is handled first.
    LastAsyncComesFirst:
        "order.async_of_4_threads_at_once",
        "order.async_of_4_threads_in_the_order_sent",
        "order.async_of_all_kinds_in_the_order_sent",
        "order.async_through_all_wrappers_in_the_order_sent",
        "order.queued_async_takes_no_worker",
        "order.sync_overtakes_queued_async";
    /// Any free worker takes the next asynchronous message of a stub.
    AsyncIsHandledAtOnce:
        "order.async_of_4_threads_at_once",
        "order.async_of_4_threads_in_the_order_sent",
        "order.async_through_all_wrappers_in_the_order_sent";
    /// A process handles one asynchronous message at a time.
    AsyncIsHandledOneByOne:
        "nested.back_while_the_pool_is_busy",
        "order.async_to_different_stubs_at_once",
        "threads.async_handlers_take_workers_too";
    /// The time of an asynchronous message goes backwards.
    AsyncTimesAreReversed:
        "order.async_of_two_processes_in_the_order_sent",
        "threads.requests_of_two_processes_wait_in_order";
    /// A process handles one request at a time.
    RequestsAreHandledOneByOne:
        "lifetimes.queued_requests_are_served_before_the_stub_ends",
        "order.async_handler_and_sync_handler_at_once",
        "order.sync_requests_at_once";
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
        "join_and_stop.stop_ends_a_pool_thread",
        "join_and_stop.stop_in_a_nested_handler_ends_the_thread_later";
    /// `StopWorkThread` ends another thread of the pool.
    StopIsForAnotherThread: "join_and_stop.stopped_before_it_joins";
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
    // ---- identity ----
    /// The handler of an asynchronous request is told its sender's process.
    AsyncPidIsTold:
        "identity.async_sent_in_a_handler",
        "identity.no_pid_in_an_async_handler",
        "identity.token_id_in_an_async_handler";
    /// A handler is told another user than its caller's.
    AnotherUserIsTold:
        "identity.caller_in_a_sync_handler",
        "identity.callers_of_concurrent_handlers",
        "identity.callers_of_nested_requests",
        "identity.own_identity_in_callbacks",
        "identity.own_identity_outside_of_handlers",
        "nested.a_third_party_on_a_pool_thread";
    /// A handler is told a first token id.
    FirstTokenIsTold:
        "identity.own_token_id_outside_of_handlers",
        "identity.token_id_in_an_async_handler",
        "identity.token_ids";
    /// A handler is not told its caller's token id.
    TokenIdsAreNotTold:
        "identity.own_token_id_outside_of_handlers",
        "identity.token_ids",
        "identity_text.reset_shows_token_ids";
    /// `IPCKIT_TOKEN_ID` is not looked at.
    TokenIdIsIgnored:
        "identity.own_token_id_outside_of_handlers",
        "identity.token_ids",
        "identity_text.reset_shows_token_ids";
    /// A nested handler is told the caller of the outermost one.
    OutermostCallerIsTold:
        "nested.back_to_a_handler_that_waits",
        "nested.nesting_does_not_starve_pools",
        "nested.recursion_through_three_processes";
    /// A thread acts for a caller whose request it has handled.
    IdentityOutlivesItsHandler:
        "identity.caller_in_a_sync_handler",
        "identity.callers_of_concurrent_handlers",
        "identity.callers_of_nested_requests";
    /// `ResetCallingIdentity` only tells the identity.
    ResetChangesNothing:
        "identity_text.a_change_ends_on_a_waiting_thread",
        "identity_text.a_change_ends_with_its_handler",
        "identity_text.a_changed_identity_and_nested_requests",
        "identity_text.reset_in_a_handler",
        "identity_text.reset_without_memory";
    /// `SetCallingIdentity` takes any text.
    AnyTextIsAnIdentity: "identity_text.all_texts_in_a_handler";
    /// `SetCallingIdentity` refuses a text outside of handlers.
    TextsAreReadOutsideOfHandlers: "identity_text.all_texts_outside_of_handlers";
    /// The text of an identity lacks the token id.
    TextHasNoTokenId: "identity_text.reset_in_an_async_handler", "identity_text.reset_shows_token_ids";
    // ---- descriptors of stubs ----
    /// A stub's descriptor is not remembered.
    DescriptorIsAskedForEachTime:
        "interface_descriptor.all_wrappers_of_an_object_remember_it",
        "interface_descriptor.it_is_remembered",
        "wrappers.wrappers_of_one_object_share_its_descriptor";
    /// The question for a stub's descriptor goes to its handler.
    HandlersSeeDescriptorQuestions:
        "interface_descriptor.an_allocator_without_memory",
        "interface_descriptor.it_is_answered_while_async_handlers_block",
        "interface_descriptor.many_ask_at_once",
        "interface_descriptor.the_handler_does_not_see_it",
        "interface_descriptor.the_stub_answers";
    /// The length of a text that is given out lacks its NUL.
    LengthsLackTheNul:
        "interface_descriptor.a_stub_of_the_own_process",
        "interface_descriptor.an_allocator_without_memory",
        "interface_descriptor.many_ask_at_once";
    /// The descriptor of a dead stub is empty.
    DeadHaveNoDescriptor:
        "interface_descriptor.a_dead_one_is_told_once",
        "interface_descriptor.a_dead_one_that_was_never_asked";
    /// A descriptor does not pass through UTF-16.
    DescriptorsAreNotChecked: "interface_descriptor.ill_formed_text_comes_back_changed";
    // ---- wrappers ----
    /// Each reference makes a proxy of its own.
    WrappersShareNothing:
        "interface_descriptor.all_wrappers_of_an_object_remember_it",
        "wrappers.wrappers_of_one_object_share_its_death_recipients",
        "wrappers.wrappers_of_one_object_share_its_descriptor";
    /// An object that comes back to its process is not known there.
    ObjectsDoNotComeHome:
        "forwarding.a_forwarded_object_comes_home_from_a_third_process",
        "interface_descriptor.a_third_process_asks",
        "wrappers.a_proxy_that_comes_home_in_a_request_is_the_stub_itself",
        "wrappers.a_proxy_that_comes_home_is_the_stub_itself",
        "wrappers.a_request_may_carry_the_object_that_it_goes_to";
    /// `ReadRemoteStub` gives nothing for a proxy.
    ProxiesAreNotReadAsStubs:
        "wrappers.a_remote_object_read_as_a_stub_holds_it",
        "wrappers.either_read_works_on_a_remote_object";
    // ---- lifetimes ----
    /// The destroy callback of a stub is not called.
    StubsAreNotDestroyed:
        "bad_handlers.a_nested_handler_destroys_the_callers_proxy",
        "death_recipients.a_stub_of_the_own_process_has_no_death",
        "lifetimes.a_destroyed_stub_serves_those_who_hold_it",
        "lifetimes.a_parcel_holds_a_stub_that_was_rewound_away",
        "lifetimes.a_parcel_holds_the_stub_that_was_written_to_it",
        "lifetimes.a_receiver_keeps_its_proxy_when_the_data_parcel_is_gone",
        "lifetimes.a_sent_parcel_goes_on_holding_its_stub",
        "lifetimes.a_stub_lives_until_its_last_holder_lets_go",
        "lifetimes.a_stub_may_be_destroyed_by_the_direct_call_that_it_serves",
        "lifetimes.a_stub_outlives_its_holders_while_its_owner_has_it",
        "lifetimes.a_stub_that_the_receiver_never_reads_is_let_go",
        "lifetimes.a_stub_without_destroyCallback_serves_and_ends",
        "lifetimes.destroying_a_stub_that_nobody_else_holds_ends_it_at_once";
    /// The destroy callback of a stub is called twice.
    StubsAreDestroyedTwice: "lifetimes.destroying_a_stub_that_nobody_else_holds_ends_it_at_once";
    /// A destroyed parcel's objects stay held.
    ParcelsKeepTheirObjects:
        "bad_handlers.a_handler_calls_everything",
        "lifetimes.a_parcel_holds_the_stub_that_was_written_to_it",
        "lifetimes.a_stub_may_be_destroyed_by_the_direct_call_that_it_serves";
    /// Received objects stay held.
    ReceivedObjectsStayHeld:
        "descriptors_left_over.a_handler_returns_the_descriptors_of_its_data",
        "descriptors_left_over.a_parcel_with_descriptors_goes_to_several_processes",
        "descriptors_left_over.a_received_parcel_is_passed_on_with_its_descriptors";
    /// The reply of an asynchronous handler stays held.
    AsyncRepliesAreKept:
        "descriptors_left_over.none_of_a_thrown_away_reply_is_left",
        "lifetimes.a_stub_in_a_reply_to_an_asynchronous_request_is_let_go";
    /// An appended object is let go.
    AppendedObjectsAreLetGo:
        "lifetimes.an_appended_proxy_is_held_until_its_process_ends",
        "lifetimes.an_appended_stub_is_never_let_go";
    /// A proxy that goes does not let go of its stub.
    SharesAreNotGivenBack:
        "bad_handlers.a_destroy_callback_calls_everything",
        "bad_handlers.a_stub_loses_its_last_holder_in_its_handler",
        "forwarding.killing_the_last_holder_of_a_forwarded_object_ends_it",
        "lifetimes.a_stub_in_a_reply_lives_as_long_as_the_reply",
        "lifetimes.a_stub_in_a_reply_that_nobody_reads_is_let_go_with_the_reply",
        "lifetimes.a_stub_may_be_destroyed_by_the_request_that_it_serves",
        "wrappers.six_hundred_stubs_in_one_reply";
    /// A stub can end before messages that were sent to it are handled.
    MessagesDoNotHoldTheirStub: "order.async_outlives_its_proxy";
    /// What a dead process held stays held.
    TheDeadKeepTheirShares:
        "death_causes.a_caller_that_dies_disturbs_nobody",
        "lifetimes.a_holder_that_ends_normally_lets_go",
        "lifetimes.killing_the_last_holder_ends_the_stub";
    // ---- forwarding ----
    /// What was on its way to a dead process stays held.
    LendsToTheDeadStay:
        "forwarding.what_a_killed_process_sent_to_a_killed_one_is_let_go",
        "forwarding.what_was_sent_to_a_killed_process_is_let_go";
    /// An object that has arrived stays held for who passed it on.
    KeptStubsStayKept:
        "forwarding.a_forwarded_object_serves_when_owner_and_middleman_have_let_go",
        "forwarding.a_received_parcel_can_be_passed_on_with_its_objects",
        "forwarding.what_a_killed_process_sent_to_a_stopped_one_is_held";
    // ---- file descriptors ----
    /// A file descriptor that is read is close-on-exec.
    ReadDescriptorsAreCloseOnExec: "file_descriptors.the_receiver_has_numbers_of_its_own";
    /// The file descriptors of a message arrive in reverse.
    DescriptorsAreMixedUp: "file_descriptors.descriptors_keep_their_places";
    /// A received file descriptor stays open once more.
    ReceivedDescriptorsStayOpen:
        "descriptors_left_over.a_handler_returns_the_descriptors_of_its_data",
        "descriptors_left_over.a_parcel_with_descriptors_goes_to_several_processes",
        "descriptors_left_over.a_received_parcel_is_passed_on_with_its_descriptors",
        "descriptors_left_over.descriptors_of_a_killed_sender_arrive",
        "descriptors_left_over.many_requests_with_descriptors_leave_none",
        "file_descriptors.a_descriptor_goes_through_two_processes",
        "file_descriptors.a_descriptor_is_sent_twice",
        "file_descriptors.a_reply_brings_a_descriptor",
        "file_descriptors.a_reply_closes_what_was_not_read",
        "file_descriptors.read_descriptors_are_the_readers",
        "file_descriptors.the_sender_may_close_its_own",
        "file_descriptors.unread_descriptors_are_closed";
    /// A sent file descriptor stays open once more.
    SentDescriptorsStayOpen:
        "file_descriptors.a_descriptor_goes_through_two_processes",
        "file_descriptors.a_descriptor_is_sent_twice",
        "file_descriptors.descriptors_of_a_killed_receiver_are_closed";
    /// The file descriptors of a refused message stay open.
    RefusedDescriptorsAreKept: "room.a_refused_request_leaves_no_descriptor";
    /// Only the first 253 file descriptors of a message are sent.
    OneTransferIsAll:
        "descriptors_left_over.none_of_a_large_reply_is_left",
        "descriptors_left_over.none_of_eight_hundred_is_left",
        "file_descriptors.many_descriptors_in_one_parcel";
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
        "death_causes.exit_is_told";
    /// A dead proxy cannot be sent.
    TheDeadCannotBeSent:
        "death_after.a_dead_object_can_be_sent_on",
        "death_after.a_dead_object_can_be_sent_on_after_the_notice";
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
        "send_request.a_call_through_a_middleman_that_dies";
    /// A request to a dead process waits.
    DeadAreWaitedFor:
        "death_after.a_refused_request_leaves_its_parcels_alone",
        "death_after.an_object_in_a_parcel_learns_of_the_death",
        "send_request.a_process_that_ended_normally_is_dead";
    /// A handler that throws does not end its process.
    ThrowersHang:
        "bad_handlers.a_direct_handler_that_throws",
        "bad_handlers.an_async_handler_that_throws",
        "bad_handlers.other_callers_of_a_thrower";
    // ---- leftovers ----
    /// What connected to a dead process stays.
    EndedConnectionsStay: "leftovers.nothing_is_left_at_a_sibling", "leftovers.nothing_is_left_of_many_children";
    /// A process keeps the child's end of each child's socket.
    SocketsOfChildrenStay: "leftovers.nothing_is_left_of_many_children";
    /// Of a repeated name the last descriptor counts.
    TheLastOfANameCounts: "child_start.of_a_repeated_name_the_first_counts";
    /// An exit callback is called after it was taken back.
    RemovedExitCallbacksStay: "child_exit.callbacks_are_taken_back";
    /// A process name may hold anything.
    AnyProcessNameIsTaken: "child_configs.names_that_are_refused_change_nothing";
    /// Children of both kinds count among the fifty of Create.
    ChildrenOfStartTakeAPlace: "child_life.children_of_start_leave_room_for_others";
    /// A child keeps the signals as its parent has them.
    SignalsAreInherited: "child_surroundings.signals_are_as_by_default";
}
