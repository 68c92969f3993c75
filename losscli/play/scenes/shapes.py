"""Rows in the plane that are drawn, in the shapes that everybody begins with."""

from __future__ import annotations

from losscli.play.scenes import play_with

play_with("moons", "noise=0.15")
play_with("circles", "noise=0.08", "factor=0.5")
play_with("blobs", "centers=3", "cluster_std=1.5")
play_with("spiral", "noise=0.03", "turns=1.0")
