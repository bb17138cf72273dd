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
    // ---- starts ----
    /// No child can be started while another one is.
    StartsAtOnceAreRefused: "child_life.two_starts_at_once";
    /// Start fails where the library cannot be loaded.
    StartFailsWithItsLibrary:
        "child_start.a_library_for_another_machine",
        "child_start.a_library_that_aborts_as_it_is_loaded",
        "child_start.libraries_that_cannot_be_loaded";
    /// A failure to load is told as one to connect, and the other way round.
    LoadingAndConnectingAreMixedUp:
        "child_life.ends_before_the_main_procedure",
        "child_start.a_library_that_aborts_as_it_is_loaded";
    /// A child may start children.
    ChildrenMayHaveChildren: "child_start.nothing_works_in_a_child";
    /// Children that were given no name have none of their own.
    ChildrenShareAName: "child_configs.a_name_without_configs";
    /// NULL is taken for a configuration.
    NullConfigsAreTaken: "child_configs.null_configs";
    /// A mode of isolation may be any number.
    AnyIsolationModeIsTaken: "child_configs.null_configs", "child_start.arguments_that_are_invalid";
    /// A directory is hidden though the library is in it.
    NeededDirectoriesAreHidden: "child_configs.a_home_with_the_library_stays";
    /// An isolated child stays its parent's user.
    OtherUserIsForgotten: "child_configs.a_user_of_ones_own";
    /// The log does not say which limit keeps a child from being started.
    LimitsAreNotNamed: "child_life.the_limit_of_descriptors_is_named";
    /// A library cannot start a child that loads itself.
    NobodyStartsOneself: "child_life.one_library_as_parent_and_child";
    // ---- what children are given ----
    /// A text of more than 100 KiB is cut.
    LongParametersAreCut: "child_start.texts_of_all_lengths_arrive";
    /// Descriptors keep the order in which they were given.
    NamesAreNotSorted: "child_start.descriptors_are_sorted_by_name";
    /// Seventeen descriptors may be given.
    OneNameTooMany: "child_start.sixteen_names_arrive_and_a_seventeenth_is_refused";
    /// Directories cannot be given.
    DirectoriesCannotBeGiven: "child_start.descriptors_of_every_kind_arrive";
    /// A descriptor that is not open is noticed only when it is passed on.
    ClosedDescriptorsAreNotNoticed: "child_start.what_cannot_be_passed_on";
    /// A descriptor that was given is closed in the parent.
    GivenDescriptorsAreMoved: "child_start.the_parents_descriptors_stay_as_they_are";
    /// A descriptor that was given stays open in the parent once more.
    GivenDescriptorsStayOpen:
        "child_start.only_the_child_holds_what_it_was_given",
        "child_start.sixteen_names_arrive_and_a_seventeenth_is_refused";
    /// A child has all descriptors that are not close-on-exec.
    DescriptorsAreInherited: "child_surroundings.no_other_descriptors_are_open";
    /// A child has the nice value that its parent had when it started its first.
    NiceValuesAreNotPassedOn: "child_surroundings.surroundings_are_the_parents";
    /// A list of a thousand descriptors counts as one without an end.
    LongListsAreRefused: "child_start.a_list_without_an_end";
    // ---- ends of children ----
    /// A child is an ordinary one of its parent's, as far as signals and waits go.
    GuardiansAreOrdinaryChildren: "child_life.a_parent_that_reaps_everything";
    /// A child does not end with its parent.
    ChildrenOutliveTheirParent: "child_life.a_parent_that_is_killed_under_load";
    /// A child whose main procedure has returned ends at once.
    ChildrenLeaveAtOnce: "child_life.a_handler_outlasts_the_main_procedure";
    /// A child whose main procedure has returned stays as long as a handler runs.
    HandlersKeepTheirProcess: "join_and_stop.a_process_ends_with_joined_threads";
    /// A child ends without its exit handlers.
    ExitHandlersDoNotRun: "child_start.a_child_of_start_exits_normally";
    /// Exit callbacks run on the thread that starts children.
    ExitsAreToldByTheStarter: "child_life.starts_from_callbacks";
    /// To kill a process that is no child succeeds; it lives on.
    StrangersCountAsKilled: "child_exit.nobody_else_is_killed";
    } $($others)* } };
}
