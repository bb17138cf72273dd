// SPDX-License-Identifier: Apache-2.0
// Each fault, what it breaks, and tests of c-tests/conformance/ that have to fail with it. The library takes the names from
// here, tools/mutants/ the rest: each has a macro `mutations!`, to which these files hand all of them on, one file after the other.

include!("mutation_list/data.rs");
include!("mutation_list/requests.rs");
include!("mutation_list/order.rs");
include!("mutation_list/workers.rs");
include!("mutation_list/identity.rs");
include!("mutation_list/objects.rs");
include!("mutation_list/death.rs");
include!("mutation_list/children.rs");

data_mutations! { {}
    requests_mutations
    order_mutations
    workers_mutations
    identity_mutations
    objects_mutations
    death_mutations
    children_mutations
    mutations
}
