//! Faults that tests build into the reductions, to see that they are found. Outside of tests there are none.

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(not(test), allow(dead_code, reason = "only tests build faults in"))]
pub(crate) enum Mutant {
    #[default]
    None,
    /// What is left out in a circle is left out for ever.
    NoComponents,
    /// A step that may give up changes places with what could unblock it.
    GivingUpCommutes,
    /// No operation enables a blocked process.
    NoEnablers,
    /// What may still send a signal to a process stays out of its part.
    KillersStayOut,
    /// A process that dies of a signal lets nothing go.
    DeathsTouchNothing,
    /// Processes that do something with their index can change places.
    IndexIsNoValue,
    /// What one of them is named by another process can change places.
    OthersNameNothing,
    /// The indices that others hold do not change places with their processes.
    HeldIndicesStay,
    /// An index that is held may be compared with any number.
    ComparedIndicesAreFree,
}

#[cfg(test)]
thread_local! {
    pub(crate) static MUTANT: std::cell::Cell<Mutant> = const { std::cell::Cell::new(Mutant::None) };
}

/// Whether that fault is built in now.
#[cfg(test)]
pub(crate) fn mutated(mutant: Mutant) -> bool {
    MUTANT.get() == mutant
}

/// Whether that fault is built in now.
#[cfg(not(test))]
pub(crate) const fn mutated(_: Mutant) -> bool {
    false
}
