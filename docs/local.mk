dist_man_MANS += docs/nnscope.1
EXTRA_DIST += docs/walkthrough.md docs/description-format.md docs/description.schema.json docs/architecture.md docs/extending.md \
	docs/commands.md docs/limits.md docs/embedding.md docs/resnet18.svg
