"""From examples of images, prompt and target tokens to weights. Knows no robot and no skill."""
