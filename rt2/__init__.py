"""The RT-2 vision-language-action model. Knows images, strings and tokens; no skills, no robots."""
