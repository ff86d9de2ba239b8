"""Speed and memory of the main job, each figure beside a baseline measured in the same run."""
