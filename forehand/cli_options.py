"""Options and arguments that several commands share, with their help. As light as forehand.cli."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Scene = Annotated[str, typer.Option("--scene", "-s", help="A scene's name, a YAML file, or random:SEED.")]
GoalText = Annotated[
    str | None, typer.Option("--goal", "-g", help='Literals, as in "in(red block, blue bowl); closed(drawer)".')
]
Seed = Annotated[int, typer.Option(help="Decides free positions, faults and noise; the same seed gives the same run.")]
PlannerName = Annotated[
    str | None, typer.Option("--planner", "-p", help="search, language or llm [language; search with --goal].")
]
POLICY_HELP = "Who drives the skills: rt2 (the VLA, from camera images) or expert (scripted, privileged)."
PolicyName = Annotated[str, typer.Option("--policy", help=POLICY_HELP)]
Checkpoint = Annotated[
    Path | None, typer.Option("--checkpoint", help="A folder with the weights of --policy rt2 [the one that ships].")
]
PerceptionName = Annotated[str, typer.Option("--perception", help="oracle (simulator state that a camera could see).")]
DetectorName = Annotated[str, typer.Option("--detector", help="scene (judges from the scene before and after).")]
FAULTS_HELP = "none, standard (about one fault in four skills), or one kind: moved, slipped, taken, …"
Faults = Annotated[str, typer.Option("--faults", help=FAULTS_HELP)]
OpenLoop = Annotated[bool, typer.Option("--open-loop", help="Run the graph once with no feedback (the study arm).")]
SkillFiles = Annotated[
    list[Path] | None, typer.Option("--skill", help="A file with a skill of your own; may be repeated.")
]
Model = Annotated[str | None, typer.Option("--model", help="Model name for --planner llm.")]
BaseUrl = Annotated[str | None, typer.Option("--base-url", help="OpenAI-compatible endpoint [OPENAI_BASE_URL].")]
Timeout = Annotated[float, typer.Option("--timeout", min=1, help="Seconds that one request to the model may take.")]
Prompts = Annotated[Path | None, typer.Option("--prompts", help="A folder with your own prompts for --planner llm.")]
RecordReplies = Annotated[
    Path | None, typer.Option("--record-replies", help="Record the model's replies to this JSONL file.")
]
ReplayReplies = Annotated[Path | None, typer.Option("--replay-replies", help="Answer from recorded replies, offline.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Gui = Annotated[bool, typer.Option("--gui", help="Open PyBullet's window (needs a display).")]
Speed = Annotated[
    float | None, typer.Option("--speed", min=0.05, help="Pace: 1 is the robot's own speed [as fast as it goes].")
]
Video = Annotated[bool, typer.Option("--video/--no-video", help="Render video.mp4 at the end.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, such as runs/20260101-120000-stack.")]
GraphFile = Annotated[Path, typer.Argument(metavar="FILE", help="A skill graph, YAML or JSON.")]
SuiteName = Annotated[str, typer.Argument(metavar="SUITE", help="A suite's name (tabletop-long) or a YAML file.")]
