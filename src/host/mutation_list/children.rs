// SPDX-License-Identifier: Apache-2.0
// Faults of native child processes, and of what is left of processes.

macro_rules! children_mutations {
    ({ $($before:tt)* } $next:ident $($others:ident)*) => { $next! { { $($before)*
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
    /// One child more may live than is allowed.
    OneChildMoreMayLive: "child_life.one_limit_for_children_of_all_kinds";
    /// A kill is claimed and does not happen.
    KillsAreOnlyClaimed: "child_exit.a_killed_child_is_gone";
    /// Every end is told as a normal one.
    EndsAreToldAsNormal: "child_exit.ends_are_told_with_their_signal";
    /// Exit callbacks are told the ends of children of Create too.
    EndsOfConnectedAreTold: "child_exit.ends_of_connected_children_are_not_told";
    /// Isolation is asked for in vain.
    IsolationIsForgotten: "child_configs.isolated_by_the_options_of_start", "child_configs.isolated_children_see_less";
    /// An isolated child keeps a working directory that is hidden.
    HiddenDirectoriesAreKept: "child_configs.the_working_directory_is_no_way_into_the_home";
    /// Create waits for its callback in a handler too.
    CreateWaitsInHandlers: "child_life.create_in_a_handler_waits_for_nothing";
    } $($others)* } };
}
