// SPDX-License-Identifier: Apache-2.0
// Faults of data, objects and file descriptors that are sent.

macro_rules! data_mutations {
    ({ $($before:tt)* } $next:ident $($others:ident)*) => { $next! { { $($before)*
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
        "read_only_parcels.rewinding_the_write_cursor_empties_data",
        "wrappers.the_same_data_with_a_stub_can_be_sent_twice";
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
        "handler_results.success_brings_the_reply",
        "read_only_parcels.a_refused_buffer_empties_a_reply",
        "read_only_parcels.a_refused_token_empties_a_reply",
        "read_only_parcels.a_reply_refuses_writes",
        "read_only_parcels.rewinding_the_write_cursor_empties_a_reply";
    /// Empty data arrives as four bytes.
    EmptyDataIsPadded: "data_parcels.empty_data_is_sent", "read_only_parcels.empty_data_is_empty";
    /// A refused write sets the read cursor back.
    RefusedWritesRewind: "read_only_parcels.data_can_be_read_between_refused_writes";
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
    /// The file descriptors of a request to a dead process stay open.
    DescriptorsForTheDeadStayOpen: "file_descriptors.descriptors_of_a_refused_request_are_not_kept";
    } $($others)* } };
}
