"""The page of `sinew view` in a real browser, from a file and without network."""

import base64
import io

import numpy as np
import pytest
from browser import Browser
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait
from viewer_clip import FRAMES, GAP, HOSTILE

@pytest.fixture(scope="session")
def page(clip):
    return clip.draw("page.html", *clip.poses, "--input", clip.observed, "--compare", *clip.others, "--title", HOSTILE)


@pytest.fixture(scope="module")
def browser():
    with Browser(width=960, height=680, has_webgl=True, is_offline=True) as window:
        yield window.driver


@pytest.fixture(scope="module")
def opened(browser, page):
    """The page, opened once: without a graphics card that takes seconds."""
    browser.get(page.as_uri())
    WebDriverWait(browser, 120).until(lambda b: b.execute_script("return Boolean(window.sinewViewer)"))
    browser.execute_script("""
        window.atFirst = sinewViewer.layerStates.map((state) => ({ ...state }));
    """)
    return browser


@pytest.fixture
def view(opened):
    """The page as it was when it had been opened."""
    opened.execute_script("""
        const viewer = window.sinewViewer;
        document.activeElement.blur();
        delete document.documentElement.dataset.theme;
        viewer.setPlaying(false);
        viewer.layerStates = window.atFirst.map((state) => ({ ...state }));
        viewer.setColour("person");
        viewer.setMeasure(viewer.measures[0].key);
        viewer.repaint();
        viewer.seek(0);
        viewer.stage.reset();
    """)
    return opened


def picture(view):
    """The three-dimensional view's pixels as they are drawn next."""
    code = view.execute_async_script("""
        const done = arguments[0];
        requestAnimationFrame(() => requestAnimationFrame(() => done(document.getElementById("view").toDataURL("image/png"))));
    """)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(code.split(",")[1]))).convert("RGB")).astype(int)


def share_changed(before, after):
    return np.mean(np.abs(before - after).max(axis=-1) > 12)


def test_the_page_opens_quietly_and_loads_nothing(view):
    assert [entry for entry in view.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
    assert view.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert not view.find_element(By.ID, "trouble").is_displayed()


def test_the_policy_refuses_the_network(view):
    refused = view.execute_async_script("""
        const done = arguments[0];
        document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective), { once: true });
        fetch("http://127.0.0.1:9/").catch(() => {});
    """)
    assert refused == "connect-src"


def test_people_are_drawn(view):
    pixels = picture(view)
    background = np.median(pixels.reshape(-1, 3), axis=0)
    drawn = np.mean(np.abs(pixels - background).max(axis=-1) > 40)
    assert drawn > 0.02
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 500


def test_joints_are_where_numpy_places_them(view, clip):
    for person, one in enumerate(clip.people):
        for frame in (0, 5, 20, FRAMES - 1):
            found = np.array(view.execute_script(f"return sinewViewer.jointPositions(1, {person}, {frame})"))
            assert np.abs(found - one.joints(frame)).max() < 1e-4
            observed = np.array(view.execute_script(f"return sinewViewer.jointPositions(0, {person}, {frame})"))
            assert np.abs(observed - one.joints(frame) - clip.noise[frame, person]).max() < 1e-4


def test_the_meshes_bones_follow(view, clip):
    for person, one in enumerate(clip.people):
        view.execute_script("sinewViewer.seek(25)")
        bones = np.array(view.execute_script(f"return sinewViewer.bonePositions(1, {person})"))
        assert np.abs(bones - one.joints(25)[:24]).max() < 1e-4


def test_a_gap_shows_nobody(view):
    assert view.execute_script(f"return sinewViewer.jointPositions(1, 0, {GAP[0]})") is None
    before = picture(view)
    view.execute_script(f"sinewViewer.seek({GAP[0]})")
    values = [element.text for element in view.find_elements(By.CSS_SELECTOR, "#people .value")]
    assert values[0] == "no pose" and values[1].endswith("mm")
    assert share_changed(before, picture(view)) > 0.01


def test_scrubbing_changes_the_picture(view):
    before = picture(view)
    view.find_element(By.TAG_NAME, "body").send_keys(Keys.END)
    assert view.execute_script("return sinewViewer.frame") == FRAMES - 1
    assert share_changed(before, picture(view)) > 0.005
    view.find_element(By.TAG_NAME, "body").send_keys(Keys.ARROW_LEFT)
    assert view.execute_script("return sinewViewer.frame") == FRAMES - 2
    view.find_element(By.TAG_NAME, "body").send_keys(Keys.HOME)
    assert share_changed(before, picture(view)) == 0


def test_a_click_on_the_timeline_seeks(view):
    timeline = view.find_element(By.ID, "timeline")
    width = timeline.size["width"]
    label = view.execute_script("return LABEL")
    # Offsets count from the middle of the element.
    x = label + (width - label) * 0.6 - width / 2
    ActionChains(view).move_to_element_with_offset(timeline, int(x), 0).click().perform()
    assert abs(view.execute_script("return sinewViewer.frame") - 0.6 * FRAMES) <= 1
    assert "Frame" in view.find_element(By.ID, "clock").text


def test_play_moves_on_and_stops(view):
    body = view.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.SPACE)
    WebDriverWait(view, 30).until(lambda b: b.execute_script("return sinewViewer.frame") > 2)
    assert view.find_element(By.ID, "play").get_attribute("aria-label") == "Pause"
    body.send_keys(Keys.SPACE)
    assert not view.execute_script("return sinewViewer.isPlaying")


def test_layers_are_switched_by_key_and_by_click(view):
    both = picture(view)
    body = view.find_element(By.TAG_NAME, "body")
    body.send_keys("1")
    assert not view.find_element(By.ID, "layer-0").is_selected()
    without_input = picture(view)
    assert share_changed(both, without_input) > 0.001
    body.send_keys("3")
    assert view.find_element(By.ID, "layer-2").is_selected()
    assert share_changed(without_input, picture(view)) > 0.001
    body.send_keys("3")
    view.find_element(By.ID, "layer-1").click()
    nobody = picture(view)
    assert share_changed(without_input, nobody) > 0.01
    view.find_element(By.ID, "layer-1").click()
    assert share_changed(without_input, picture(view)) == 0


def test_meshes_and_skeletons_are_switched(view):
    body = view.find_element(By.TAG_NAME, "body")
    mesh = picture(view)
    body.send_keys("s")
    both = picture(view)
    body.send_keys("m")
    bones = picture(view)
    assert share_changed(mesh, both) > 0.001 and share_changed(both, bones) > 0.01


def test_a_measure_colours_bodies_and_timeline(view):
    before = picture(view)
    Select(view.find_element(By.ID, "colour")).select_by_value("measure")
    assert share_changed(before, picture(view)) > 0.01
    names = [option.text for option in Select(view.find_element(By.ID, "measure")).options]
    assert names == ["Distance to input", "Joint residual", "Distance to niki/1", "Distance to hybrik/1"]
    strip = "return document.getElementById('timeline').toDataURL()"
    first = view.execute_script(strip)
    Select(view.find_element(By.ID, "measure")).select_by_visible_text("Joint residual")
    assert view.execute_script(strip) != first
    view.find_element(By.TAG_NAME, "body").send_keys("w")
    assert view.execute_script("return sinewViewer.frame") == FRAMES - 1


def test_the_distance_is_numpys(view, clip):
    frame = 20
    expected = [1000 * np.linalg.norm(clip.noise[frame, person, :24], axis=-1).mean() for person in range(2)]
    found = view.execute_script(f"""
        return [0, 1].map((person) => sinewViewer.measure.values(sinewViewer.measuredTrack(person))[{frame}])""")
    assert np.allclose(found, expected, atol=0.05)


def test_a_hostile_name_is_text(view):
    assert view.execute_script("return window.pwned") is None
    assert view.find_elements(By.TAG_NAME, "img") == []
    assert view.find_element(By.ID, "title").text == HOSTILE
    names = [element.get_attribute("textContent") for element in view.find_elements(By.CSS_SELECTOR, "#people .name")]
    assert names == [HOSTILE, "right"]
    assert HOSTILE in view.title


def test_light_and_dark(view):
    paper = "return getComputedStyle(document.body).backgroundColor"
    first, before = view.execute_script(paper), picture(view)
    view.find_element(By.TAG_NAME, "body").send_keys("l")
    assert view.execute_script(paper) != first
    assert share_changed(before, picture(view)) > 0.5


def test_dragging_turns_and_reset_turns_back(view):
    before = picture(view)
    stage = view.find_element(By.ID, "view")
    ActionChains(view).drag_and_drop_by_offset(stage, 120, 20).perform()
    assert share_changed(before, picture(view)) > 0.01
    view.find_element(By.TAG_NAME, "body").send_keys("r")
    assert share_changed(before, picture(view)) == 0
