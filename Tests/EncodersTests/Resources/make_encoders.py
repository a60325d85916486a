"""Writes the small random encoders of these tests, and what transformers and PyTorch make of them.

    python make_encoders.py             # with torch, transformers, safetensors, onnx, onnxscript; writes beside itself
    python make_encoders.py --graphs    # only exports the graphs of the encoders that are there

bert/ and distilbert/ are sequence classifiers as `save_pretrained` writes them, with `recorded.safetensors`: batches
with and without padding, and the hidden states, logits and sentence embeddings of each. bert.onnx and distilbert.onnx
are the same networks exported by `torch.onnx.export` from a trace, bert_program.onnx and distilbert_program.onnx by its
newer exporter from the exported program, with PyTorch's own attention.
"""

import sys
from pathlib import Path

import onnx
import torch
import transformers
from safetensors.torch import load_file, save_file

HERE = Path(__file__).resolve().parent
LABELS = ["arts", "sports", "science"]
VOCABULARY, POSITIONS = 48, 20


def configurations():
    labels = dict(id2label=dict(enumerate(LABELS)), label2id={label: index for index, label in enumerate(LABELS)})
    yield "bert", transformers.BertConfig(
        vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24,
        max_position_embeddings=POSITIONS, initializer_range=0.3, attn_implementation="eager", **labels)
    yield "distilbert", transformers.DistilBertConfig(
        vocab_size=VOCABULARY, dim=12, n_layers=2, n_heads=3, hidden_dim=20, max_position_embeddings=POSITIONS,
        initializer_range=0.3, attn_implementation="eager", **labels)


def batches(generator):
    """A text alone, the longest text, and texts of several lengths padded to the longest."""
    for name, lengths in (("one", [5]), ("longest", [POSITIONS, POSITIONS]), ("padded", [9, 2, 6, 1])):
        longest = max(lengths)
        ids = torch.zeros(len(lengths), longest, dtype=torch.int64)
        mask, types = torch.zeros_like(ids), torch.zeros_like(ids)
        for row, length in enumerate(lengths):
            ids[row, :length] = torch.randint(1, VOCABULARY, (length,), generator=generator)
            mask[row, :length] = 1
            types[row, length // 2 : length] = 1
        yield name, {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}


def pooled(states, mask):
    mask = mask[..., None].float()
    mean = (states * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
    return torch.nn.functional.normalize(mean, dim=1)


def trained(directory, inputs, generator):
    """Four steps of a fine-tuning without dropout: what goes in, each loss, and some parameters afterwards."""
    # eval() takes dropout out and leaves gradients on.
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        directory, attn_implementation="eager").eval()
    labels = (torch.rand(4, len(LABELS), generator=generator) < 0.4).float()
    weight = torch.tensor([[1.0], [0.5], [2.0], [1.0]])
    plain = [name for name, _ in model.named_parameters() if name.endswith("bias") or "norm" in name.lower()]
    groups = [
        {"params": [p for n, p in model.named_parameters() if (n in plain) == bare], "weight_decay": 0 if bare else 0.1}
        for bare in (False, True)]
    optimizer = torch.optim.AdamW(groups, lr=0.01)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, 2, 6)
    losses = []
    for _ in range(4):
        logits = model(**inputs).logits
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels, weight=weight)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    state = model.state_dict()
    kept = {
        name: value for name, value in state.items()
        if any(part in name for part in ("embeddings", "layer.0.attention", "classifier"))}
    return {"training.labels": labels, "training.weight": weight, "training.losses": torch.tensor(losses)} | {
        f"after.{name}": value for name, value in kept.items()}


def main():
    torch.manual_seed(7)
    generator = torch.Generator().manual_seed(11)
    for name, configuration in configurations():
        model = transformers.AutoModelForSequenceClassification.from_config(configuration).eval()
        with torch.no_grad():
            # Biases and normalisations start as constants: random ones show where each goes.
            for parameter in model.parameters():
                if parameter.dim() == 1:
                    parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
        model.save_pretrained(HERE / name)
        encoder = model.bert if name == "bert" else model.distilbert
        recorded = {}
        for batch, inputs in batches(generator):
            inputs = inputs if name == "bert" else {key: inputs[key] for key in ("input_ids", "attention_mask")}
            with torch.no_grad():
                states = encoder(**inputs).last_hidden_state
                recorded[f"{batch}.last_hidden_state"] = states
                recorded[f"{batch}.logits"] = model(**inputs).logits
                recorded[f"{batch}.sentence_embedding"] = pooled(states, inputs["attention_mask"])
            recorded |= {f"{batch}.{key}": value for key, value in inputs.items()}
        layers = encoder.encoder.layer if name == "bert" else encoder.transformer.layer
        for activation in ("gelu_new", "relu"):
            # The same weights with another activation, on the last batch.
            for layer in layers:
                function = transformers.activations.ACT2FN[activation]
                if name == "bert":
                    layer.intermediate.intermediate_act_fn = function
                else:
                    layer.ffn.activation = function
            with torch.no_grad():
                recorded[f"{activation}.logits"] = model(**inputs).logits
        recorded |= trained(HERE / name, inputs, generator)
        save_file({key: value.contiguous() for key, value in recorded.items()}, HERE / name / "recorded.safetensors")

        export(name)
    show()


def export(name):
    """The network as PyTorch's two exporters write it."""
    recorded = load_file(HERE / name / "recorded.safetensors")
    keys = ["input_ids", "attention_mask"] + (["token_type_ids"] if name == "bert" else [])
    inputs = {key: recorded[f"padded.{key}"] for key in keys}

    def model(attention):
        return transformers.AutoModelForSequenceClassification.from_pretrained(
            HERE / name, attn_implementation=attention).eval()

    axes = {key: {0: "batch", 1: "sequence"} for key in inputs}
    torch.onnx.export(
        model("eager"), tuple(inputs.values()), HERE / f"{name}.onnx", input_names=list(inputs),
        output_names=["logits"], dynamic_axes=axes | {"logits": {0: "batch"}}, opset_version=17, dynamo=False)
    open_axes = {0: torch.export.Dim("batch", min=1), 1: torch.export.Dim("sequence", min=1, max=POSITIONS)}
    torch.onnx.export(
        model("sdpa"), kwargs=inputs, f=HERE / f"{name}_program.onnx", input_names=list(inputs),
        output_names=["logits"], dynamic_shapes={key: open_axes for key in inputs}, opset_version=18, dynamo=True,
        external_data=False)
    strip(HERE / f"{name}_program.onnx")


def strip(path):
    """Takes out where in whose Python each node comes from, which is most of the file."""
    model = onnx.load(path)
    graph = model.graph
    for entry in [model, graph, *graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output]:
        entry.ClearField("metadata_props")
        entry.ClearField("doc_string")
    onnx.save(model, path)


def show():
    for path in sorted(HERE.rglob("*")):
        print(path.relative_to(HERE), path.stat().st_size)


if __name__ == "__main__":
    if sys.argv[1:] == ["--graphs"]:
        for family in ("bert", "distilbert"):
            export(family)
        show()
    else:
        main()
