/** What a page that broke shows: the rest of the app goes on. */
import { Button, Container } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { Problem } from "@/components/Problem";

interface State {
  error: unknown;
}

interface Props {
  children: ReactNode;
  at?: string; // where somebody is: what broke there is forgotten elsewhere
}

export class ErrorBoundary extends Component<Props, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override componentDidUpdate({ at }: Props) {
    if (at !== this.props.at && this.state.error !== null) this.setState({ error: null });
  }

  override render() {
    if (this.state.error === null) return this.props.children;
    return (
      <Container size="sm" py="xl">
        <Problem of={this.state.error} title="This page broke" />
        <Button mt="md" variant="default" onClick={() => window.location.reload()}>
          Load it again
        </Button>
      </Container>
    );
  }
}
