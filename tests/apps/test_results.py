"""What commands print as JSON: of the schemas in the documentation, and never NaN."""

import json
import runpy
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from onnx_files import OnnxWriter
from photos.making_photos import encoded, noise
from twobirds.apps.cli import main
from twobirds.apps.display import say_json
from twobirds.errors import InputError

REPOSITORY = Path(__file__).parents[2]
SCHEMAS = REPOSITORY / "docs/reference/schemas"


@pytest.fixture
def photo(tmp_path: Path, two_placed_faces: None) -> Path:
    (tmp_path / "photo.png").write_bytes(encoded(noise(110, 230)))
    return tmp_path / "photo.png"


def validated(command: str, printed: str) -> Any:
    """Printed JSON of a command's schema."""
    schema = json.loads((SCHEMAS / f"{command}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)

    def no_constant(name: str) -> None:
        pytest.fail(f"{name} is no JSON")

    results = json.loads(printed, parse_constant=no_constant)
    jsonschema.validate(results, schema, jsonschema.Draft202012Validator)
    return results


def test_the_schemas_are_those_of_the_types() -> None:
    written = runpy.run_path(str(REPOSITORY / "tools/write_schemas.py"))["schemas"]()
    assert {path.name for path in SCHEMAS.iterdir()} == set(written)
    for name, content in written.items():
        assert (SCHEMAS / name).read_text() == content, "run python tools/write_schemas.py"


def test_recognized_faces(
    photo: Path, image: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recognize", str(photo), model, "--json"]) == 0
    faces = validated("recognize", capsys.readouterr().out)
    assert [(face["image"], face["face"]) for face in faces] == [(str(photo), 1), (str(photo), 2)]
    assert faces[1]["box"] == [90, 15, 70, 70]
    assert main(["recognize", str(image), model, "--aligned", "--json"]) == 0
    (face,) = validated("recognize", capsys.readouterr().out)
    assert set(face) == {"image", "attributes"}
    with pytest.raises(jsonschema.ValidationError):
        validated("recognize", json.dumps([{**face, "attributes": {"Bald": 1.5}}]))
    with pytest.raises(jsonschema.ValidationError):
        validated("recognize", json.dumps([{**face, "surprise": 1}]))


def test_edited_photos(
    photo: Path, image: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recognize", str(photo), model, "--json"]) == 0
    stood = [face["attributes"]["Bald"] for face in json.loads(capsys.readouterr().out)]
    words = ["edit", str(photo), model, "--face=all", "--set", "Bald=1", f"--out={tmp_path}/e.png"]
    assert main([*words, "--strength=2", "--json"]) == 0
    (edited,) = validated("edit", capsys.readouterr().out)
    assert edited["image"] == str(photo)
    assert edited["output"] == f"{tmp_path}/e.png"
    assert edited["changes"] == {"Bald": 1}
    assert [face["face"] for face in edited["faces"]] == [1, 2]
    for face, p in zip(edited["faces"], stood, strict=True):
        assert face["strength"] == 2
        assert face["before"] == {"Bald": pytest.approx(p)}
        assert set(face) == {"face", "box", "strength", "before", "after"}
    writer = OnnxWriter()
    pooled = writer.node("AveragePool", "images", kernel_shape=[28, 28], strides=[28, 28])
    embedder = writer.save(tmp_path / "pixels.onnx", [writer.node("Flatten", pooled)])
    limits = ["--until=1", f"--embedder={embedder}", "--max-identity-distance=4"]
    aligned = ["edit", "--aligned", str(image), *words[2:3], *words[4:], *limits, "--json"]
    assert main(aligned) == 0
    (edited,) = validated("edit", capsys.readouterr().out)
    (face,) = edited["faces"]
    assert face["reason"] == "strength"
    assert face["identity_distance"] > 0
    assert "face" not in face


def test_photos_of_a_folder(
    photo: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    photo = photo.rename(folder / "photo.png")
    (folder / "damaged.png").write_bytes(photo.read_bytes()[:100])
    options = [model, "--face=all", "--set", "Bald=1", "--device=cpu", "--json"]
    assert main(["edit", str(photo), *options, f"--out={tmp_path}/alone.png"]) == 0
    (alone,) = validated("edit", capsys.readouterr().out)
    printed = []
    for number in range(2):  # edited now, and edited before
        assert main(["edit", str(folder), *options, f"--out={tmp_path}/out"]) == 5
        captured = capsys.readouterr()
        assert f" ({number} of them before)" * number in captured.err
        printed.append(captured.out)
    assert printed[0] == printed[1]
    damaged, edited = validated("edit-folder", printed[0])
    assert damaged["image"] == str(folder / "damaged.png")
    assert (damaged["status"], set(damaged)) == ("refused", {"image", "status", "reason"})
    assert "cannot be decoded" in damaged["reason"]
    assert edited == {**alone, "status": "edited", "output": f"{tmp_path}/out/photo.png"}
    assert [face["face"] for face in edited["faces"]] == [1, 2]
    with pytest.raises(jsonschema.ValidationError):
        validated("edit-folder", json.dumps([{**damaged, "status": "gone"}]))


def test_no_number_is_no_result(
    image: Path,
    model: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from twobirds.api import EncodedFaces

    attributes = EncodedFaces.attributes.fget
    assert attributes is not None
    nothing = property(lambda faces: attributes(faces) * float("nan"))
    monkeypatch.setattr(EncodedFaces, "attributes", nothing)
    out = tmp_path / "edited.png"
    edit = ["edit", "--set", "Bald=1", f"--out={out}"]
    for words in (["recognize", "--json"], ["recognize"], edit, [*edit, "--json"]):
        assert main([*words, "--aligned", str(image), model]) == 2
        assert not out.exists()
        captured = capsys.readouterr()
        assert captured.out == ""
        assert "predicts what is no number: verify it with twobirds check" in captured.err
    for number in (float("nan"), float("inf")):
        with pytest.raises(InputError, match="not a finite number"):
            say_json({"figure": number})
    assert capsys.readouterr().out == ""
