//! What a run needs of the host, asked before anything starts: a scenario that needs more is refused, naming the limit.

use crate::diagnostic::{Code, Diagnostic};
use crate::event::ProcessId;
use crate::kernel::process_table::{Table, Trouble};
use crate::objects::HostError;
use crate::os::limits::Limit;
use crate::scenario::plan::Plan;

/// An object that the host could not give.
pub(super) fn refused(plan: &Plan, object: usize, error: HostError) -> Diagnostic {
    let group = &plan.groups[plan.objects[object].group];
    let message = format!("the host cannot give `{}`: {}", plan.objects[object].name, error.message);
    let mut diagnostic =
        Diagnostic::error(Code::HOST_LIMIT, message).at(&plan.source, group.span.clone(), "asked for here");
    diagnostic.help.extend(error.help);
    diagnostic
}

/// An error of the engine's own needs: memory, descriptors.
pub(super) fn engine(plan: &Plan, what: &str, error: &std::io::Error) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(Code::HOST_LIMIT, format!("{what}: {error}")).within(&plan.source);
    diagnostic.help.extend(Limit::help_for(error));
    diagnostic
}

/// More processes than the host lets this user have.
pub(super) fn too_many(plan: &Plan) -> Option<Diagnostic> {
    let wanted = plan.processes.len() as u64;
    let limit = LIMITS.into_iter().find(|limit| limit.is_below(wanted))?;
    let widest = plan.programs.iter().max_by_key(|program| program.count.unwrap_or(1))?;
    let message = format!("the scenario has {wanted} processes, more than the host allows");
    Some(
        Diagnostic::error(Code::HOST_LIMIT, message)
            .at(&plan.source, widest.span.clone(), "most of them here")
            .help(limit.help(wanted)),
    )
}

/// The limits on processes.
const LIMITS: [Limit; 3] = [Limit::Processes, Limit::GroupProcesses, Limit::ProcessNumbers];

/// A fork that failed.
pub(super) fn fork_failed(plan: &Plan, process: ProcessId, error: &std::io::Error) -> Diagnostic {
    let program = plan.program(process);
    let wanted = plan.processes.len() as u64;
    let message = format!(
        "the host has no room for {wanted} processes: fork failed at `{}`: {error}",
        plan.processes[process as usize].name
    );
    let diagnostic =
        Diagnostic::error(Code::HOST_LIMIT, message).at(&plan.source, program.span.clone(), "asked for here");
    // Others' processes count as well, so the limit that was reached is unknown; all limits are listed.
    LIMITS
        .into_iter()
        .filter(|limit| limit.value().is_some())
        .fold(diagnostic, |diagnostic, limit| {
            diagnostic.note(format!("{} is {}", limit.name(), limit.value().unwrap_or(0)))
        })
        .help("raise the limit that is reached, or ask for fewer processes with `count`")
}

/// What processes could not do for themselves.
pub(super) fn troubles(plan: &Plan, table: &Table) -> Vec<Diagnostic> {
    let mut said = Vec::new();
    let mut diagnostics = Vec::new();
    for process in 0..plan.processes.len() {
        let Some((trouble, errno)) = table.trouble(process as ProcessId) else { continue };
        let program = plan.program(process as ProcessId);
        let error = std::io::Error::from_raw_os_error(errno);
        if said.contains(&(plan.processes[process].program, trouble)) {
            continue;
        }
        said.push((plan.processes[process].program, trouble));
        let (message, help) = match trouble {
            Trouble::Cpus => (
                format!("`{}` cannot run on CPUs {:?}: {error}", program.name, program.cpus),
                "`cpus` must name CPUs that this process may use: see `nproc` and `taskset -p $$`",
            ),
            Trouble::Nice => (
                format!("`{}` cannot have nice {}: {error}", program.name, program.nice.unwrap_or(0)),
                "a lower nice value needs CAP_SYS_NICE, or RLIMIT_NICE raised (`ulimit -e`)",
            ),
            Trouble::Policy => (
                format!(
                    "`{}` cannot have the policy {}: {error}",
                    program.name,
                    program.policy.as_deref().unwrap_or("")
                ),
                "the real-time policies need CAP_SYS_NICE, or RLIMIT_RTPRIO raised (`ulimit -r`)",
            ),
            Trouble::Host(call) => {
                (format!("`{}` cannot be prepared: {} failed: {error}", program.name, call.name()), "")
            }
        };
        let diagnostic =
            Diagnostic::error(Code::HOST_LIMIT, message).at(&plan.source, program.span.clone(), "asked for here");
        diagnostics.push(if help.is_empty() { diagnostic } else { diagnostic.help(help) });
    }
    diagnostics
}
