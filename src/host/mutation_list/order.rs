// SPDX-License-Identifier: Apache-2.0
// Faults of room, and of what comes before what.

macro_rules! order_mutations {
    ({ $($before:tt)* } $next:ident $($others:ident)*) => { $next! { { $($before)*
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
    /// A refusal does not tell how full the receiver is.
    WhatIsOnItsWayIsNotTold: "room.a_refusal_is_told";
    /// One asynchronous message less can be on its way.
    OneMessageLess: "differences.messages_to_a_stopped_process_have_a_limit";
    /// A message takes twice its bytes of what can be on its way.
    MessagesTakeTwoPlaces: "differences.bytes_to_a_stopped_process_have_a_limit";
    /// A refused reply's sender is not told.
    RefusedRepliesNameNobody: "room.a_refused_reply_is_told";
    /// That as many messages are on their way as can be is told as the receiver's want of room.
    AFullWayIsAFullReceiver: "room.a_full_way_is_no_full_receiver";
    /// Each refusal is a line of the log.
    EachRefusalIsTold: "room.refusals_in_a_loop_are_counted";
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
        "order.async_of_4_threads_in_the_order_sent";
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
    // ---- who goes first ----
    /// A peer's asynchronous messages wait until it has no requests.
    AsyncComesLast: "fairness.an_async_among_sync_requests";
    /// A worker stays with a stub's asynchronous messages until there are none, and nothing else is done before.
    QueuesAreEmptiedFirst: "fairness.a_sync_request_among_async_ones", "fairness.a_death_among_async_messages";
    /// A stopped thread goes on with its stub's asynchronous messages.
    StoppedThreadsEmptyTheQueue: "join_and_stop.stop_in_an_async_handler";
    /// A thread that was stopped before it joins is content with what is no request.
    ChoresCountAsRequests: "join_and_stop.a_chore_is_no_request";
    /// A worker that leaves a stub's asynchronous messages to others does not tell them.
    QueuesThatAreLeftAreLost: "threads.nothing_is_lost_while_all_are_busy";
    } $($others)* } };
}
