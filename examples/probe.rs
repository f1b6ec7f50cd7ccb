use std::sync::Arc;
fn main() {
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&path).unwrap();
        let source = Arc::new(ipcrun::diagnostic::Source::new(path.clone(), text));
        let forms: Vec<_> = ipcrun::judge::FORMS.iter().map(|form| &form.description).collect();
        let plan = match ipcrun::scenario::load(&source, &Default::default(), &forms) {
            Ok(l) => l.plan,
            Err(e) => {
                println!("{e:?}");
                continue;
            }
        };
        let begin = std::time::Instant::now();
        let mut space =
            ipcrun::model::space::Space::new(&plan, Default::default(), vec![false; plan.steps.len()], false);
        let full = ipcrun::model::full::search(&mut space, usize::MAX).unwrap();
        let t = begin.elapsed().as_secs_f64();
        println!(
            "{path}: {} states, {} edges, {} ends, {:.3} s, {:.2} M states/s, {} bytes/state",
            full.store.len(),
            full.edges,
            full.ends.len(),
            t,
            full.store.len() as f64 / t / 1e6,
            full.store.bytes() / full.store.len()
        );
    }
}
