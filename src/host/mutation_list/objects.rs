// SPDX-License-Identifier: Apache-2.0
// Faults of stubs, their wrappers and who holds them.

macro_rules! objects_mutations {
    ({ $($before:tt)* } $next:ident $($others:ident)*) => { $next! { { $($before)*
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
    /// A destroyed wrapper takes the object from all who have it.
    DestroyedWrappersEndTheObject:
        "bad_handlers.a_handler_destroys_its_parcels_proxy",
        "wrappers.reading_one_place_twice_gives_two_wrappers",
        "wrappers.two_reads_of_one_object_give_two_wrappers";
    /// The stub that a child has offered cannot be written.
    PassedStubsCannotBeWritten: "differences.a_connected_stub_is_written";
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
        "descriptors_left_over.a_received_parcel_is_passed_on_with_its_descriptors",
        "lifetimes.a_stub_in_an_asynchronous_request_that_nobody_reads_is_let_go";
    /// The reply of an asynchronous handler stays held.
    AsyncRepliesAreKept:
        "descriptors_left_over.none_of_a_thrown_away_reply_is_left",
        "handler_results.async_handlers_have_a_reply",
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
    /// A stub can end before a reply that brings it home is read.
    RepliesDoNotHoldWhatGoesHome: "lifetimes.a_stub_comes_home_in_the_reply_of_who_lets_go_of_it";
    /// What a dead process held stays held.
    TheDeadKeepTheirShares:
        "death_causes.a_caller_that_dies_disturbs_nobody",
        "forwarding.a_forwarded_object_outlives_a_killed_middleman",
        "lifetimes.a_holder_that_ends_normally_lets_go",
        "lifetimes.killing_the_last_holder_ends_the_stub";
    /// A stub ends with its owner's wrapper, whoever else holds it.
    DestroyedStubsAreGone:
        "bad_handlers.a_handler_destroys_its_own_stub",
        "forwarding.an_object_goes_round_three_processes_many_times";
    /// A wrapper that was read does not hold a stub of its own process.
    ReadStubsAreNotHeld: "lifetimes.wrappers_read_in_the_stubs_own_process_hold_it";
    /// What is given back is taken from what is granted next, too.
    ReleasesCountTwice: "lifetimes.a_stub_goes_and_comes_many_times";
    // ---- forwarding ----
    /// What was on its way to a dead process stays held.
    LendsToTheDeadStay:
        "forwarding.what_a_killed_process_sent_to_a_killed_one_is_let_go",
        "forwarding.what_was_sent_to_a_killed_process_is_let_go";
    /// An object that has arrived stays held for who passed it on.
    KeptStubsStayKept:
        "forwarding.a_forwarded_object_serves_when_owner_and_middleman_have_let_go",
        "forwarding.a_received_parcel_can_be_passed_on_with_its_objects";
    /// What a process had passed on is let go with it, whoever is still to get it.
    LendsEndWithTheirGiver: "forwarding.what_a_killed_process_sent_to_a_stopped_one_is_held";
    /// A death takes what the others hold too.
    ADeathTakesAllShares: "forwarding.a_forwarded_object_outlives_a_killed_middleman";
    /// An object is passed on before its owner keeps it.
    PassingOnDoesNotWait: "differences.passing_on_waits_for_the_owner";
    } $($others)* } };
}
