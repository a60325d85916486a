"""PyTorch's time and memory for fine-tuning a BERT encoder of MiniLM-L6's sizes, and its time for running it.

Random weights and tokens, dropout 0.1, AdamW, ten labels: what ranker-bench does as well. One JSON line a measurement.

    python torch_encoder.py --batch 16 --length 128
"""

import argparse
import json
import resource
import statistics
import time

import torch
from transformers import BertConfig, BertForSequenceClassification
from transformers import __version__ as transformers_version


def timed(work, runs):
    work()
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.manual_seed(42)
    torch.set_num_threads(arguments.threads)

    network = BertForSequenceClassification(BertConfig(
        vocab_size=30522, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536,
        num_labels=10, problem_type="multi_label_classification"))
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-5)
    tokens = torch.randint(0, 30522, (arguments.batch, arguments.length))
    mask = torch.ones_like(tokens)
    labels = (torch.rand(arguments.batch, 10) > 0.8).float()

    def step():
        loss = network(input_ids=tokens, attention_mask=mask, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    library = f"PyTorch {torch.__version__}, transformers {transformers_version}"
    network.train()
    training = timed(step, arguments.steps)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"name": "encoder training step", "library": library, "seconds": training, "peak_mb": peak}))
    network.eval()
    with torch.inference_mode():
        for name, count in ((f"encoder {arguments.batch} texts", arguments.batch), ("encoder one text", 1)):
            few, ones = tokens[:count], mask[:count]
            seconds = timed(lambda: network(input_ids=few, attention_mask=ones), 20)
            print(json.dumps({"name": name, "library": library, "seconds": seconds}))


if __name__ == "__main__":
    main()
