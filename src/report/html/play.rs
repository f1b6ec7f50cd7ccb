//! Scenarios to be played: one page that opens from disk, on which the reader chooses whose turn it is.

use std::fmt::Write as _;

use super::{escape, head};
use crate::report::view::level::Level;

const PLAY_STYLE: &str = include_str!("page/play.css");
const PLAY_SCRIPT: &str = include_str!("page/play.js");

/// The most that a page takes, in bytes.
pub(crate) const MOST: usize = 1_500_000;
/// What the page takes besides the levels, at most.
const FRAME: usize = 60_000;

/// How much of a page the next of `left` levels may take, as [`Level::new`] counts it, behind these.
pub(crate) fn share(levels: &[String], left: usize) -> usize {
    let taken: usize = levels.iter().map(String::len).sum();
    (MOST - FRAME).saturating_sub(taken) / left.max(1)
}

/// A level as the page holds it.
pub(crate) fn level(level: &Level) -> String {
    escape::script(&serde_json::to_string(level).unwrap_or_default())
}

/// The page of these levels.
pub(crate) fn page(title: &str, levels: &[String]) -> String {
    let mut out = String::new();
    head(&mut out, &format!("play {title}"), PLAY_STYLE);
    out.push_str("<body class=\"play\">\n<noscript>This page needs its script.</noscript>\n");
    out.push_str(FRAME_OF_PAGE);
    let _ = write!(
        out,
        "<script type=\"application/json\" id=\"levels\">[{}]</script>\n<script>\n(() => {{\n\"use strict\";\n{}{PLAY_SCRIPT}}})();\n\
         </script>\n</body>\n</html>\n",
        levels.join(","),
        escape::patterns(),
    );
    out
}

const FRAME_OF_PAGE: &str = r#"<header>
<div class="strip"><label id="choose" hidden>Level <select id="level"></select></label><h1 id="title"></h1><span class="spring"></span>
<span id="goal" class="facts"></span></div>
<p class="about" id="about"></p>
</header>
<main>
<div class="toolbar" role="toolbar" aria-label="Moves">
<button id="undo" title="Take back the last step (u)">Undo</button>
<button id="restart" title="Begin again (0)">Restart</button>
<button id="random" title="Take any step (r)">Random</button>
<button id="switch" title="The same process continues until it cannot, or has to choose (s)">Until a switch</button>
<button id="end" title="The processes take turns until nothing can happen (e)">To the end</button>
<button id="hint" title="Show a step towards the goal (h)">Hint</button>
<button id="solve" title="Take the shortest way to the goal (f)">Show a way</button>
<button id="next" hidden>Next level</button>
<span id="marks" class="legend"></span>
</div>
<p id="said" role="status" aria-live="polite"></p>
<section id="processes" aria-label="Processes"></section>
<section id="outside" aria-label="Other steps"></section>
<h2>Objects</h2>
<div id="objects"></div>
<section id="verdict" hidden></section>
<h2>Steps so far</h2>
<div class="table"><table id="lanes"></table></div>
<p class="again"><code id="replay"></code><button id="copy" class="small">Copy</button></p>
</main>
"#;
