"""The page of a run in a headless Chromium: opened from disk, clicked, typed at; no error may reach the console.

    tests/page/run [--shots DIRECTORY]

makes the pages with the built ipcrun, and with --shots leaves pictures of them to look at.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

IPCRUN = pathlib.Path(sys.argv[1]).resolve()
SHOTS = pathlib.Path(sys.argv[3]) if sys.argv[2:3] == ["--shots"] else None
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PASSING = 8
PAGES = tempfile.TemporaryDirectory(prefix="ipcrun-page-")

SCENARIOS = {
    "semaphore": ROOT / "scenarios/semaphore.toml",
    "dialogue": ROOT / "scenarios/pipe-dialogue.toml",
    "deadlock": ROOT / "tests/deadlocks/philosophers.toml",
    "chain": HERE / "scenarios/chain.toml",
    "failing": HERE / "scenarios/failing.toml",
    "large": HERE / "scenarios/large.toml",
}


def page(name, *arguments):
    """The page of a scenario and its trace, made once."""
    out = pathlib.Path(PAGES.name) / f"{name}.html"
    trace = out.with_suffix(".jsonl")
    if not out.exists():
        command = [IPCRUN, "run", SCENARIOS[name], "--html", out, "--trace", trace, "--quiet", *arguments]
        subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.DEVNULL)
    return out, trace


def browser(script=True):
    options = Options()
    for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1440,1000"]:
        options.add_argument(argument)
    if not script:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))


class InBrowser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.driver = browser()

    @classmethod
    def tearDownClass(cls):
        cls.driver.quit()

    def setUp(self):
        self.driver.get_log("browser")
        self.driver.get_log("performance")

    def tearDown(self):
        self.assertEqual([entry["message"] for entry in self.driver.get_log("browser")], [])
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.assertRegex(message["params"]["request"]["url"], "^(file|data|about):")

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def press(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def shot(self, name):
        if SHOTS:
            SHOTS.mkdir(parents=True, exist_ok=True)
            time.sleep(0.3)
            self.driver.save_screenshot(str(SHOTS / f"{name}.png"))


class Page(InBrowser):
    def open(self, name, *arguments):
        path, trace = page(name, *arguments)
        self.driver.get("about:blank")
        self.driver.get(path.as_uri())
        WebDriverWait(self.driver, 20).until(lambda d: d.execute_script("return document.documentElement.dataset.ready"))
        return trace

    def selected(self):
        return self.js("return ipcrun.view.selected")

    def click_event(self, at):
        """Clicks where the picture shows the event."""
        place = self.js(
            """const { view } = ipcrun, box = document.getElementById("canvas");
               box.scrollIntoView({ block: "center" });
               return ipcrun.placeOf(arguments[0]);""", at)
        canvas = self.find("#canvas")
        ActionChains(self.driver).move_to_element_with_offset(
            canvas, place[0] - canvas.size["width"] / 2, place[1] - canvas.size["height"] / 2).click().perform()

    def test_selecting_tells_the_event_its_step_and_its_record(self):
        trace = self.open("semaphore")
        self.find("#axis-step").click()
        lines = [line for line in trace.read_text().splitlines() if '"type":"event"' in line]
        at = next(at for at in range(9, len(lines)) if '"verb":"print"' in lines[at])
        self.click_event(at)
        self.assertEqual(self.selected(), at)
        self.assertTrue(self.find("#tip").is_displayed())
        self.assertEqual(self.find("#record").text, lines[at])
        line = json.loads(lines[at])["line"]
        self.assertIn("here", self.find(f"#L{line}").get_attribute("class"))
        self.assertIn("past", self.find(".relations").text)
        self.assertTrue(self.driver.current_url.endswith(f"#e{at + 1}"))
        records = self.js("return Array.from({ length: ipcrun.view.axis.begin.length }, (_, at) => ipcrun.record(at))")
        self.assertEqual(records, lines)
        self.shot("semaphore")

    def test_records_are_the_lines_of_the_trace(self):
        for name in ["dialogue", "deadlock", "failing"]:
            trace = self.open(name)
            lines = [line for line in trace.read_text().splitlines() if '"type":"event"' in line]
            records = self.js("return Array.from({ length: ipcrun.view.axis.begin.length }, (_, at) => ipcrun.record(at))")
            self.assertEqual(records, lines)

    def test_past_and_future_are_those_of_vector_clocks(self):
        for name in ["semaphore", "dialogue", "deadlock", "chain", "failing"]:
            self.open(name)
            data = json.loads(self.js("return document.getElementById('data').textContent"))
            before = clocks(data)
            for at in range(data["count"]):
                relations = self.js("return Array.from(ipcrun.relations(arguments[0]))", at)
                expected = [3 if other == at else 2 if before(at, other) else 1 if before(other, at) else 0
                            for other in range(data["count"])]
                self.assertEqual(relations, expected, f"{name} #{at + 1}")

    def test_the_axis_switches_by_buttons_and_keys(self):
        self.open("semaphore")
        for key, name in [("1", "time"), ("2", "folded"), ("3", "step")]:
            self.press(key)
            self.assertEqual(self.js("return ipcrun.view.axis.kind"), name)
            self.assertEqual(self.find(f"#axis-{name}").get_attribute("aria-pressed"), "true")
        for name in ["folded", "time", "step"]:
            self.find(f"#axis-{name}").click()
            self.assertEqual(self.js("return ipcrun.view.axis.kind"), name)
            self.assertEqual(self.js("return [ipcrun.view.from, ipcrun.view.to - ipcrun.view.axis.max]"), [0, 0])
            self.shot(f"semaphore-{name}")

    def test_the_keyboard_moves_zooms_and_lets_go(self):
        self.open("semaphore")
        self.press(Keys.ARROW_RIGHT)
        self.assertEqual(self.selected(), 0)
        first = self.find("#event h3").text
        self.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
        self.assertNotEqual(self.find("#event h3").text, first)
        process = self.js("return document.querySelector('#event h3').childNodes[1].textContent")
        # Whose event it is, the run decides: below the last process there is none.
        self.press(Keys.ARROW_UP if process.strip() == "worker[9]" else Keys.ARROW_DOWN)
        self.assertNotEqual(self.js("return document.querySelector('#event h3').childNodes[1].textContent"), process)
        self.press(Keys.END)
        self.assertEqual(self.selected(), self.js("return ipcrun.view.axis.begin.length - 1"))
        whole = self.js("return ipcrun.view.to - ipcrun.view.from")
        self.press("+", "+")
        self.assertLess(self.js("return ipcrun.view.to - ipcrun.view.from"), whole / 2)
        self.press("0")
        self.assertEqual(self.js("return ipcrun.view.to - ipcrun.view.from"), whole)
        self.press("?")
        self.assertTrue(self.find("#help").is_displayed())
        self.press(Keys.ESCAPE)
        self.assertFalse(self.find("#help").is_displayed())
        self.press(Keys.ESCAPE)
        self.assertEqual(self.selected(), -1)

    def test_search_finds_and_goes_through(self):
        self.open("semaphore")
        self.press("/")
        self.press("acquire worker[3]")
        WebDriverWait(self.driver, 5).until(lambda d: "1 found" in self.find("#found").text)
        self.press(Keys.ENTER)
        self.assertIn("acquire permits", self.find("#event h3").text)
        self.assertIn("worker[3]", self.find("#event h3").text)
        self.find("#only-found").click()
        self.assertEqual(len(self.driver.find_elements(By.CSS_SELECTOR, "#rows tr")), 1)
        self.find("#search").click()
        self.press(Keys.ESCAPE)
        self.assertEqual(self.js("return ipcrun.view.found.length"), 0)

    def test_the_theme_is_toggled(self):
        self.open("failing")
        ground = self.js("return getComputedStyle(document.documentElement).backgroundColor")
        self.find("#theme").click()
        self.assertNotEqual(self.js("return getComputedStyle(document.documentElement).backgroundColor"), ground)
        self.js("ipcrun.select(45)")
        self.shot("failing-dark")
        self.press("t")
        self.assertEqual(self.js("return getComputedStyle(document.documentElement).backgroundColor"), ground)

    def test_witnesses_lead_to_their_events(self):
        self.open("failing")
        witness = self.find(".fail a.event")
        witness.click()
        self.assertEqual(f"#e{self.selected() + 1}", witness.get_attribute("href").split("/")[-1][-len(f"#e{self.selected() + 1}"):])
        self.assertTrue(self.find(".fail details").get_attribute("open"))
        self.assertFalse(self.find(".pass details").get_attribute("open"))
        # What the scenario wrote is text, wherever it stands.
        self.assertEqual(self.js("return document.querySelectorAll('td b, code b, li b, dd b').length"), 0)
        self.assertNotIn("\u202e", self.js("return document.body.innerText"))
        self.shot("failing")

    def test_the_table_selects_and_turns(self):
        self.open("failing")
        self.find("#later").click()
        row = self.driver.find_elements(By.CSS_SELECTOR, "#rows tr")[3]
        row.find_elements(By.TAG_NAME, "td")[2].click()
        self.assertEqual(self.selected(), 103)

    def test_a_deadlock_has_its_graph(self):
        self.open("deadlock")
        self.assertEqual(len(self.driver.find_elements(By.CSS_SELECTOR, ".wait .node")), 5)
        self.assertEqual(len(self.driver.find_elements(By.CSS_SELECTOR, ".wait .edge")), 5)
        place = self.js("""document.getElementById("canvas").scrollIntoView({ block: "center" });
                           const box = document.getElementById("canvas"); return [box.clientWidth - 24, 48];""")
        canvas = self.find("#canvas")
        ActionChains(self.driver).move_to_element_with_offset(
            canvas, place[0] - canvas.size["width"] / 2, place[1] - canvas.size["height"] / 2).click().perform()
        self.assertIn("philosopher[0] lock forks[1]", self.find("#tip").text)
        self.assertIn("lock", self.find("#source .here").text)
        self.shot("deadlock")

    def test_a_dialogue_is_drawn_by_steps(self):
        self.open("dialogue")
        self.assertEqual(self.js("return ipcrun.view.axis.kind"), "step")
        self.shot("dialogue")

    def test_repeated_runs_have_a_histogram(self):
        SCENARIOS["repeated"] = ROOT / "scenarios/value-lost-update.toml"
        self.open("repeated", "--repeat", "20")
        counts = [int(cell.text) for cell in self.driver.find_elements(By.CSS_SELECTOR, "#runs ~ div tbody td:first-child")]
        self.assertEqual(sum(counts), 20)
        self.shot("repeated")

    def test_a_hundred_thousand_events_stay_smooth(self):
        page("large")
        begun = time.time()
        self.open("large")
        opened = time.time() - begun
        count = self.js("return ipcrun.view.axis.begin.length")
        self.assertGreater(count, 99_000)
        self.shot("large")
        draws = self.js("return [1, 2, 3, 4, 5].map(() => ipcrun.draw())")
        selects = self.js(
            "return [1000, 50000, 99000].map((at) => { const begun = performance.now(); ipcrun.relations(at); return performance.now() - begun; })")
        search = self.js("const begun = performance.now(); ipcrun.search('get q 77'); return performance.now() - begun")
        self.js("ipcrun.select(50000); ipcrun.setView(49900, 50100)")
        self.press("3")
        self.shot("large-step")
        print(f"\n{count} events: opened in {opened:.2f} s, drawn in {sorted(draws)[2]:.1f} ms, "
              f"related in {max(selects):.1f} ms, searched in {search:.0f} ms")
        self.assertLess(sorted(draws)[2], 500)
        self.assertLess(max(selects), 1000)

    def test_without_a_script_the_first_screen_is_there(self):
        path, _ = page("deadlock")
        driver = browser(script=False)
        try:
            driver.get(path.as_uri())
            self.assertTrue(driver.find_element(By.CSS_SELECTOR, ".still svg").is_displayed())
            self.assertFalse(driver.find_element(By.CSS_SELECTOR, "#canvas").is_displayed())
            self.assertTrue(driver.find_element(By.CSS_SELECTOR, ".badge").is_displayed())
            if SHOTS:
                driver.save_screenshot(str(SHOTS / "no-script.png"))
        finally:
            driver.quit()


class Play(InBrowser):
    LEVELS = ["lost-update-broken", "abba-broken", "abba-ordered", "self-pipe-broken", "killed-holder-broken"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.files = [ROOT / f"scenarios/classics/{name}.toml" for name in cls.LEVELS]
        cls.path = pathlib.Path(PAGES.name) / "play.html"
        command = [IPCRUN, "explore", *cls.files, "--play", cls.path, "--quiet"]
        subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.DEVNULL)
        assert cls.path.stat().st_size < 1_500_000

    def open(self, hash=""):
        self.driver.get("about:blank")
        self.driver.get(self.path.as_uri() + hash)
        WebDriverWait(self.driver, 20).until(lambda d: d.execute_script("return document.documentElement.dataset.ready"))

    def level(self, name):
        self.open(f"#{self.LEVELS.index(name)}=")

    def rows(self):
        return self.driver.find_elements(By.CSS_SELECTOR, "#lanes tbody tr")

    def replayed(self):
        """What the command on the page comes to."""
        command = self.find("#replay").text.replace("ipcrun", str(IPCRUN), 1)
        return subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, check=False)

    def test_every_level_is_played_to_its_goal_and_the_kernel_does_the_same(self):
        for number, name in enumerate(self.LEVELS):
            self.open(f"#{number}=")
            self.assertEqual(self.find("#title").text, name)
            self.find("#solve").click()
            goal = self.find("#goal").text
            if "ends well" in goal:
                self.assertIn("ends well", self.find("#said").text)
                self.find("#end").click()
            title = self.find("#verdict h2").text
            fails = "make it fail" in goal or "how it fails" in goal
            ends = "fails|deadlock" if fails else "shows it" if "show" in goal else "ends well"
            self.assertRegex(title, ends, name)
            done = self.replayed()
            self.assertIn("the kernel matched the model", done.stdout, f"{name}: {done.stderr}")
            self.shot(f"play-{name}")

    def test_steps_are_chosen_by_clicks_and_keys_and_taken_back(self):
        self.level("abba-broken")
        texts = [button.text for button in self.driver.find_elements(By.CSS_SELECTOR, ".move")]
        self.assertEqual(len(texts), 2)
        self.driver.find_elements(By.CSS_SELECTOR, ".move")[0].click()
        self.assertEqual(len(self.rows()), 1)
        self.assertEqual(len(self.driver.find_elements(By.CSS_SELECTOR, "#objects .changed")), 1)
        self.press("2")
        self.assertEqual(len(self.rows()), 2)
        self.assertIn("point of no return", self.rows()[1].text)
        self.assertIn("waits", self.find(".process h3 span").text)
        self.assertIn("deadlock", self.find("#verdict h2").text)
        self.shot("play-deadlock")
        self.press("u")
        self.assertEqual(len(self.rows()), 1)
        self.assertFalse(self.find("#verdict").is_displayed())
        self.find("#hint").click()
        self.assertEqual(len(self.driver.find_elements(By.CSS_SELECTOR, ".move.hint")), 1)
        self.press("s")
        self.assertTrue(len(self.rows()) > 2)
        self.rows()[0].find_elements(By.TAG_NAME, "td")[0].click()
        self.assertEqual(len(self.rows()), 1)
        self.press("0")
        self.assertEqual(len(self.rows()), 0)
        self.press("r", "e")
        self.assertTrue(self.find("#verdict").is_displayed())
        self.find("#next").click()
        self.assertEqual(self.find("#title").text, "abba-ordered")

    def test_a_link_leads_to_its_state(self):
        for name in self.LEVELS:
            self.level(name)
            self.press("r", "r", "r", "r", "r", "r")
            link = self.driver.current_url
            seen = self.find("#processes").text, self.find("#objects").text, len(self.rows())
            self.open("#" + link.split("#", 1)[1])
            self.assertEqual((self.find("#processes").text, self.find("#objects").text, len(self.rows())), seen, link)
            # A schedule alone leads to the same turns.
            schedule = self.find("#replay").text
            self.open("#" + link.split("#", 1)[1].split(";")[0])
            self.assertEqual(self.find("#replay").text, schedule)

    def test_the_page_fits_a_phone_and_both_themes(self):
        self.level("lost-update-broken")
        self.press("r", "r", "r")
        for width in [400, 800, 1600]:
            size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            for theme in ["light", "dark"]:
                feature = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
                self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
                self.assertLessEqual(self.js("return document.documentElement.scrollWidth"), width)
                self.shot(f"play-{width}-{theme}")
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def clocks(data):
    """Whether one event happened before another, by vector clocks of begins, computed as they are defined."""
    count = data["count"]
    process = data["events"]["process"]
    process = process if isinstance(process, list) else [process] * count
    lanes = {}
    number = []
    for at in range(count):
        lane = lanes.setdefault(process[at], [])
        number.append(len(lane))
        lane.append(at)
    flags = data["events"]["flags"]
    flags = flags if isinstance(flags, list) else [flags] * count
    rank = dict(enumerate(number)) | {at: value for at, value in data["ranks"]}
    causes = {}
    to, back = data["edges"]["to"], data["edges"]["back"]
    place = 0
    for i in range(data["edges"]["count"]):
        place += to[i] if isinstance(to, list) else to
        causes.setdefault(place, []).append(place - (back[i] if isinstance(back, list) else back))

    def merge(into, other):
        for key, value in other.items():
            into[key] = max(into.get(key, -1), value)

    # What reaches an event's end, and what reaches its begin: the greatest rank of each process.
    ends = []
    for at in range(count):
        clock = dict(ends[lanes[process[at]][number[at] - 1]]) if number[at] else {}
        merge(clock, {process[at]: rank[at]})
        for cause in causes.get(at, []):
            before = min(number[cause], rank[cause]) - 1
            if flags[cause] & PASSING and cause < at:
                merge(clock, ends[cause])
            elif before >= 0:
                merge(clock, ends[lanes[process[cause]][before]])
            merge(clock, {process[cause]: rank[cause]})
        ends.append(clock)

    def before(first, second):
        if process[first] == process[second]:
            return number[first] < number[second]
        return ends[second].get(process[first], -1) >= rank[first]

    return before


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
