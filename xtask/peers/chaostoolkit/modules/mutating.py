"""A control of the corpus that changes whatever it is shown."""


def before_experiment_control(context, configuration, secrets):
    configuration["word"] = "changed"
    configuration["added"] = "by a control"
    context["extensions"] = [{"name": "found", "value": 1}]


def before_activity_control(context):
    if context["name"] == "argument":
        context["provider"]["arguments"]["value"] = "${word} argument"
    if context["name"] == "renamed":
        context["note"] = "of a control"


def after_activity_control(context, state):
    state["seen"] = True
    if context["name"] == "output":
        state["output"] = {"replaced": [1, 2.5, None]}
    if context["name"] == "status":
        state["status"] = "failed"


def after_hypothesis_control(context, state):
    for run in state["probes"]:
        run["checked"] = True


def after_method_control(context, state):
    state[0]["method"] = "over"


def after_experiment_control(context, state):
    state["summary"] = {"runs": len(state["run"])}
